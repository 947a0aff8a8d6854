"""The machine: carries out bound plans on a device, and the only code here with effects."""

import gc

# The command line starts without collecting; from here on there is garbage.
gc.enable()
