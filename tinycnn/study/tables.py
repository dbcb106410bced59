"""Numbers and tables as text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bytes_text", "count_text", "shape_text", "short_count", "text_table"]


def shape_text(shape: Sequence[int]) -> str:
    """A shape for people.

    Examples
    --------
    >>> shape_text((64, 112, 112)), shape_text(())
    ('64x112x112', 'scalar')
    """
    return "x".join(map(str, shape)) if shape else "scalar"


def count_text(count: int) -> str:
    """A count with its thousands apart; "-" for none."""
    return f"{count:,}" if count else "-"


def short_count(count: int) -> str:
    """A count in three digits, decimal units.

    Examples
    --------
    >>> short_count(950), short_count(61706), short_count(138357544), short_count(30_932_353_024_000)
    ('950', '61.7 k', '138 M', '30.9 T')
    """
    size: float = count
    for unit in ("", " k", " M", " G", " T"):
        if size < 999.5 or unit == " T":
            return f"{size:.3g}{unit}" if unit else str(count)
        size /= 1000
    raise AssertionError("the last unit takes everything")


def bytes_text(size: int) -> str:
    """Bytes in decimal units: 1 MB is a million bytes, as on the slides; 1 MiB would be 1,048,576.

    Examples
    --------
    >>> bytes_text(512), bytes_text(12_000_000), bytes_text(1_200_000_000)
    ('512 B', '12.0 MB', '1.20 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.9995 * scale:
            number = size / scale
            return f"{number:.2f} {unit}" if number < 9.995 else f"{number:.1f} {unit}" if number < 99.95 else f"{number:.0f} {unit}"
    return f"{size} B"


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: tuple[int, ...] = (0,)) -> str:
    """Columns as wide as their widest cell; those in `left` start at the left, the others end at the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(width) if column in left else cell.rjust(width) for column, (cell, width) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths).rstrip(), *map(line, rows)])
