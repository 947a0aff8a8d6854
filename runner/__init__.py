"""The machine: carries out bound plans on a device, and the only code here with effects."""
