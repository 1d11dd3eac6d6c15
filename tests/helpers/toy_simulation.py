"""A simulation of two cells that takes no time."""

from simulations.simulation import Promise, Simulation, Table


def draw(level, generator):
    """One normal number about the level."""
    return level + generator.standard_normal()


def measure(level, studies):
    """The numbers, and whether they are above 0."""
    return {"value": studies, "above": [study > 0 for study in studies]}


def tables(means):
    """A row for each cell."""
    yield Table(
        ["Cell", "Mean"], [[cell, f"{one['value'].mean:.2f}"] for cell, one in means.items()]
    )


TOY = Simulation(
    name="toy",
    title="Toy",
    text="Numbers\nin two cells.",
    cells={"low": 0.0, "high": 3.0},
    draw=draw,
    measure=measure,
    tables=tables,
    promises=(Promise("low", "above", low=0.4, high=0.6),),
    tested=("low",),
)
