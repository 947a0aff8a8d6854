"""Studies to begin with, as `procdsl new` writes them: `NAME` in them stands for the study's."""

from importlib.resources import files


def names() -> tuple[str, ...]:
    """The templates there are."""
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in files(__name__).iterdir() if f.name.endswith(".toml"))
    )


def filled(template: str, name: str) -> str:
    """A template's text, with the study's name."""
    return (files(__name__) / f"{template}.toml").read_text(encoding="utf-8").replace('"NAME"', f'"{name}"')
