"""The door for other people's rules, objectives, models, metrics and sources.

What their authors import; see ``docs/extend.md``. Importing it loads neither torch nor pandas.
"""

from repro.plugins.contexts import RuleContext, SourceRun
from repro.plugins.declared import Parameters, metric, model, objective, rule, source

__all__ = [
    "Parameters",
    "RuleContext",
    "SourceRun",
    "metric",
    "model",
    "objective",
    "rule",
    "source",
]
