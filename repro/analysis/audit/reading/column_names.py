"""What the name of a column says: the names that people use, each with its role.

A name that is on no list has no role: it is asked for. Case, underscores, hyphens, camel case,
arrows and units make no difference: `acc_Darker-Male (%)` is the accuracy of darker male.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from repro.analysis.audit.reading.description import Measure, Spread, Unit
from repro.analysis.audit.reading.published_table import Role

# In each list the first names are preferred where a table has several.
NAMES: dict[Role, tuple[str, ...]] = {
    "arm": (
        *("arm", "method", "algorithm", "model", "technique", "approach", "detector"),
        *("classifier", "system", "company", "vendor", "service", "architecture", "network"),
        *("setting", "variant", "loss function", "name", "backbone"),
        *("methods", "models", "algorithms", "approaches", "classifiers", "systems"),
    ),
    "alpha": ("alpha", "α"),
    "run": (
        *("run", "run id", "run number", "replicate", "replication", "trial", "repeat"),
        *("repetition", "rep", "seed", "random seed", "seed id", "fold"),
    ),
    "group": (
        *("group", "subgroup", "sub group", "group name", "demographic", "demographic group"),
        *("race", "ethnicity", "gender", "sex", "skin type", "skin tone", "age", "age group"),
    ),
    "n": (
        *("n", "count", "support", "sample size", "group size", "size", "samples", "n samples"),
        *("num samples", "portraits", "n portraits", "number of portraits"),
    ),
    "detected": (
        *("detected", "correct", "hits", "n correct", "num correct", "n detected"),
        *("true positives", "tp", "correctly classified"),
    ),
    "overall": ("overall", "all", "avg", "average", "mean", "all groups", "e a", "e a recall"),
    "worst": ("worst", "worst group", "worst case", "wg", "wga", "worst groups"),
    "best": ("best", "best group"),
    "gap": ("gap", "group gap", "max gap", "best less worst", "best minus worst", "gap points"),
    "variance": (
        *("variance", "var", "var a", "var a measure of bias", "measure of bias"),
        *("variance between groups", "variance over groups", "group variance"),
    ),
    "sd": (
        *("sd between groups", "std between groups", "sd over groups", "std over groups"),
        *("group sd", "group std", "sd of groups", "std of groups", "between group sd"),
    ),
}
MEAN_ROWS = {"mean", "average", "avg", "mean over all", "average over all"}  # as names of an arm
ONLY_WORDS = {*NAMES["group"][6:]}  # `gender` above numbers may be the accuracy of that task
COUNT_OR_OVERALL = "total"
SPREADS: dict[str, Spread | None] = {
    **dict.fromkeys(("sem", "se", "standard error", "std error", "std err", "stderr"), "sem"),
    **dict.fromkeys(("sd", "std", "stdev", "std dev", "stddev", "standard deviation"), "sd"),
    **dict.fromkeys(("ci95", "ci 95", "95 ci", "ci", "ci half width", "±", "+", "pm")),
}
RIGHT = (
    *("accuracy", "accuracies", "acc", "recall", "tpr", "tar", "true positive rate"),
    *("detection rate", "sensitivity", "hit rate", "share"),
)
WRONG = (
    *("error rate", "error", "err", "fnr", "false negative rate", "miss rate"),
    *("fnmr", "false non match rate"),
)
OVER_RUNS = ("mean", "avg", "average")  # `male mean`, beside `male std`
IGNORED = {
    *("precision", "prec", "f1", "f1 score", "auroc", "auc", "roc auc", "ap", "ece", "brier"),
    *("nll", "loss", "fpr", "false positives", "false positive rate", "specificity", "tnr"),
    *("adjusted", "balanced", "eo gap", "eod", "dp gap", "demographic parity", "mr all"),
    *("equalized odds", "p value", "rank", "lr", "learning rate", "epoch", "epochs"),
    *("batch size", "weight decay", "momentum", "dropout", "latent dim", "wall s", "wall time"),
    *("fp", "fn", "tn", "fmr", "false match rate", "ser", "skewed error ratio"),
    *("time", "runtime", "seconds", "minutes", "hours", "params", "parameters", "flops"),
    *("low", "high", "lower", "upper", "ci low", "ci high", "ci lower", "ci upper", "median"),
    # Of our own tables:
    *("recall all runs", "runs with numbers", "runs with numbers wanted", "expected recall"),
    *("expected variance", "published recall", "published variance", "variance without noise"),
    *("gmacs", "steps", "iterations", "latency", "year", "date", "index", "unnamed 0"),
}
IGNORED_WORDS = {  # anywhere in a name
    *("precision", "prec", "f1", "auroc", "auc", "ece", "fpr", "specificity"),
    *("balanced", "adjusted", "hp"),
}
BOUNDS = ("low", "high", "lower", "upper", "least", "most")  # of an interval, after its value
_OF_A_RUN = re.compile(r"recall (seed|run) \d+", re.ASCII)
UNITS: dict[str, Unit] = {
    **dict.fromkeys(("%", "percent", "pct", "per cent", "points", "pp"), "percent"),
    **dict.fromkeys(("percent squared", "%^2", "%²", "pp^2", "pp²"), "percent"),
    **dict.fromkeys(("fraction", "fraction squared"), "fraction"),
}
GROUP_WORDS = {  # to one word each
    **dict.fromkeys(("darker", "dark", "darkest"), "darker"),
    **dict.fromkeys(("lighter", "light", "lightest"), "lighter"),
    **dict.fromkeys(("male", "males", "men", "man"), "male"),
    **dict.fromkeys(("female", "females", "women", "woman"), "female"),
    **dict.fromkeys(("african", "africans"), "african"),
    **dict.fromkeys(("asian", "asians"), "asian"),
    **dict.fromkeys(("indian", "indians"), "indian"),
    **dict.fromkeys(("caucasian", "caucasians"), "caucasian"),
    **dict.fromkeys(("black", "white", "latino", "latina", "hispanic"), ""),
    **dict.fromkeys(("latino hispanic", "middle eastern", "east", "southeast", "south"), ""),
    **dict.fromkeys(("middle", "eastern", "young", "old", "elderly", "adult", "child"), ""),
}
INITIALS = {
    "df": "darker female",
    "dm": "darker male",
    "lf": "lighter female",
    "lm": "lighter male",
}
TOGETHER = (  # names of groups only where at least three of a line stand in one header, or all
    ("i", "ii", "iii", "iv", "v", "vi"),  # skin types
    ("af", "am", "bf", "bm", "if", "im", "wf", "wm"),  # Asian, Black, Indian, White; F, M
    ("f", "m"),
)
FILLERS = {"skin", "skinned", "faces", "face", "people", "subjects", "group"}
NUMBERED = re.compile(  # group 0, g3, skin type IV, Monk 10, 20-29, 70+, more than 70
    r"(group|subgroup|g) ?\d{1,3}|(skin )?(type|tone) ([1-6]|vi|i{1,3}|iv|v)"
    r"|fitzpatrick( type)? ([1-6]|vi|i{1,3}|iv|v)|(monk|mst)( skin)?( tone)? ?([1-9]|10)"
    r"|(ages? )?\d{1,2} (to )?\d{1,3}( years?)?|(ages? )?\d{2} ?\+|(more than|over|under) \d{2}",
    re.ASCII,
)
SIZE = re.compile(r"n ?= ?([\d,]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Name:
    """What the name of a column says.

    Attributes:
        role: None if the name is on no list.
        phrase: The name in lower case, words divided by one space, without its unit.
        group: The group that it names, as written but for unit and measure; else empty.
        of: Of an error: the phrase of the column whose error it is; empty if not said.
        unit: None if not said.
        measure: Whether it is said to be of right or of wrong answers.
        spread: What an error is.
        n: Portraits that the name gives, as in `female (n = 271)`.
        bare: Whether it is a measure alone, as `accuracy`: of the group of the row, or of all.
    """

    role: Role | None
    phrase: str
    group: str = ""
    of: str = ""
    unit: Unit | None = None
    measure: Measure | None = None
    spread: Spread | None = None
    n: int | None = None
    bare: bool = False


def phrase_of(text: str) -> str:
    """A name in lower case, its words divided by one space."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[_\-–/.:,↑↓|$\\()\[\]{}]+", " ", apart).lower().split())


def read_name(text: str, together: frozenset[str] = frozenset()) -> Name:
    """What a column's name says.

    Args:
        text: Of the header.
        together: Names of groups by the company they keep, see `groups_together`.
    """
    bare, unit, n = _without_brackets(text)
    phrase = phrase_of(bare)
    for word in sorted(UNITS, key=len, reverse=True):
        end = phrase_of(word)
        if phrase != end and (phrase.endswith(f" {end}") or (end == "%" and phrase.endswith("%"))):
            phrase, unit = phrase.removesuffix(end).strip(), UNITS[word]
            bare = phrase.replace(" ", "_")
            break
    name = _read(phrase.removeprefix("test "), bare.strip(), unit, n, together)
    return replace(name, phrase=phrase)


def groups_together(header: Iterable[str]) -> frozenset[str]:
    """Names that are groups because others of their kind stand in the same header.

    `V` may be a voltage; `acc_I, acc_II, acc_III, acc_IV, acc_V` are skin types.
    """
    measures, spreads = RIGHT + WRONG, tuple(SPREADS)
    found = {phrase_of(_without_brackets(name)[0]) for name in header}
    for words in (spreads, measures):
        found |= {rest for phrase in found for _, rest in _ends(phrase, words)}
    sets = [one for one in TOGETHER if len(found & {*one}) >= min(3, len(one))]
    return frozenset(name for one in sets for name in one)


def _without_brackets(text: str) -> tuple[str, Unit | None, int | None]:
    """The name without a unit or a number of portraits in brackets."""
    unit: Unit | None = None
    n: int | None = None
    for inside in re.findall(r"[(\[]([^()\[\]]*)[)\]]", text):
        said = " ".join(inside.lower().replace("_", " ").split()).removeprefix("in ")
        if said in UNITS:
            unit = UNITS[said]
        elif size := SIZE.fullmatch(said):
            n = int(size[1].replace(",", ""))
        else:
            continue
        text = re.sub(rf"\s*[(\[]{re.escape(inside)}[)\]]", "", text)
    return text, unit, n


def _read(
    phrase: str, written: str, unit: Unit | None, n: int | None, together: frozenset[str]
) -> Name:
    role = _listed(phrase)
    if role is not None:
        return Name(role, phrase, unit=unit, n=n)
    if phrase in IGNORED or IGNORED_WORDS & set(phrase.split()) or _OF_A_RUN.fullmatch(phrase):
        return Name("ignored", phrase)
    for end in BOUNDS:
        if phrase.endswith(f" {end}") and read_name(phrase.removesuffix(end)).role is not None:
            return Name("ignored", phrase)
    for spread, of in _ends(phrase, tuple(SPREADS)):
        whose = read_name(of, together)
        if not of or whose.role is not None:
            of = whose.phrase
            return Name("error", phrase, of=of, unit=unit, spread=SPREADS[spread])
    for counted in ("n", "detected"):
        for word, of in _ends(phrase, NAMES[counted]):
            if of and is_group(of) and word:
                return Name(counted, phrase, group=of.replace(" ", "_"))
    if is_group(phrase) or phrase in together:
        return Name("share", phrase, group=written, unit=unit, n=n)
    for _, of in _ends(phrase, OVER_RUNS):
        if is_group(of) or of in together:
            return Name("share", of, group=_as_written(of, written), unit=unit, n=n)
    return _measured(phrase, written, unit, n, together)


def _as_written(group: str, written: str) -> str:
    """The part of a name that is the group, with its capitals."""
    found = re.search(re.escape(group).replace(r"\ ", "[ _-]+"), written, re.IGNORECASE)
    return found[0] if found else group.replace(" ", "_")


def _measured(
    phrase: str, written: str, unit: Unit | None, n: int | None, together: frozenset[str]
) -> Name:
    """A name with a measure in it, as `acc worst group`; one without has no role."""
    for measures, measure in ((RIGHT, "recall"), (WRONG, "error")):
        for word, rest in _ends(phrase, measures):
            of = re.sub(r"^(of|for|on|in) |^(of|for|on|in)$", "", rest)
            said: Measure = "error" if measure == "error" else "recall"
            if not of and word not in ("error", "err"):
                return Name("overall", phrase, unit=unit, measure=said, n=n, bare=True)
            if of and (role := _listed(of)) in ("overall", "worst", "best", "gap"):
                return Name(role, phrase, unit=unit, measure=said, n=n)
            if of and (is_group(of) or of in together):
                group = _as_written(of, written)
                return Name("share", phrase, group=group, unit=unit, measure=said, n=n)
    return Name(None, phrase, unit=unit, n=n)


def _listed(phrase: str) -> Role | None:
    return next((role for role, names in NAMES.items() if phrase in names), None)


def _ends(phrase: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each word that the phrase begins or ends with, the longest first, and the rest."""
    for word in sorted(words, key=len, reverse=True):
        if phrase == word:
            yield word, ""
        elif phrase.endswith(f" {word}"):
            yield word, phrase.removesuffix(word).strip()
        elif phrase.startswith(f"{word} "):
            yield word, phrase.removeprefix(word).strip()


def group_words(name: str) -> frozenset[str]:
    """The words of a group's name in one spelling; equal for the same group."""
    phrase = phrase_of(name)
    words = [word for word in INITIALS.get(phrase, phrase).split() if word not in FILLERS]
    return frozenset(GROUP_WORDS.get(word) or word for word in words) or frozenset({phrase})


def group_of(name: str, together: frozenset[str] = frozenset()) -> frozenset[str]:
    """The same of the name of a column, without its unit and measure: `acc_dark_male (%)`."""
    return group_words(read_name(name, together).group or name)


def is_group(name: str) -> bool:
    """Whether it is the name of a group that people use."""
    phrase = phrase_of(name)
    words = [word for word in phrase.split() if word not in FILLERS]
    known = bool(words) and all(word in GROUP_WORDS for word in words)
    return known or phrase in INITIALS or bool(NUMBERED.fullmatch(phrase))


def rank(name: Name) -> int:
    """Place in the list of its role: of several columns, the first is read."""
    assert name.role is not None
    names = NAMES.get(name.role, ())
    if name.phrase in names:
        return names.index(name.phrase)
    measures = RIGHT + WRONG
    bare = name.bare and name.phrase in measures
    # Recall before accuracy: an accuracy beside it counts other pictures, too.
    order = ("recall", *(word for word in measures if word != "recall"))
    return len(names) + (1 + order.index(name.phrase) if bare else 0)
