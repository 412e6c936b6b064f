"""Cells of what a spreadsheet may open."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def disarmed(cell: str) -> str:
    """A spreadsheet runs what begins like a formula; importers take the mark off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
