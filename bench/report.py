"""Rows of figures, and the one table that they make at the end."""
import statistics
import typing


class Row(typing.NamedTuple):
    """One measurement: its values in all rounds, and those of a peer that did the same in the same rounds."""
    subject: str
    name: str
    unit: str  # a rate ends in "/s": more is better; of everything else less is
    ours: typing.Sequence[float]
    peer: typing.Sequence[float] = ()
    peer_name: str = ""
    wanted: str = ""  # what we would like to see; nothing fails when it is not so


def median(values):
    return statistics.median(values)


def spread(values):
    """How far the middle half of the values lies apart, as a share of the median: what the machine's noise is."""
    if len(values) < 4 or median(values) == 0:
        return None
    first, _, third = statistics.quantiles(values, n=4)
    return (third - first) / abs(median(values))


def ratio(row):
    """How many times as good as the peer: by the rounds in pairs, because both sides of a round had the same noise."""
    better = (lambda ours, peer: ours / peer) if row.unit.endswith("/s") else (lambda ours, peer: peer / ours)
    return median([better(ours, peer) for ours, peer in zip(row.ours, row.peer) if ours and peer])


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def print_row(row):
    peer = number(median(row.peer)) if row.peer else ""
    times = f"{ratio(row):.2f} x" if row.peer else ""
    noise = f"{spread(row.ours) * 100:.0f} %" if spread(row.ours) is not None else ""
    print(f"  {row.name:<46}{row.unit:>7}{number(median(row.ours)):>12}{noise:>7}  {row.peer_name:<20}{peer:>10}"
          f"{times:>9}  {row.wanted}")


def print_table(rows):
    print(f"{'':<48}{'unit':>7}{'fsd':>12}{'noise':>7}  {'peer':<20}{'':>10}{'ratio':>9}  wanted")
    subject = None
    for row in rows:
        if row.subject != subject:
            subject = row.subject
            print(subject)
        print_row(row)
