"""Malformed files of predictions: what they hold, and what is said of it after the name."""

COLUMNS = "arm,run,image,group,label,logit\n"
SOUND = f"{COLUMNS}a,1,p,g,1,1\n"
HEADER = ": the header is wrong: "


def remark(line):
    """A sound file with a line before its columns."""
    return f"# {line}\n{SOUND}"


CASES = {
    "no picture": (
        "y_true,y_score,group\n1,2,g\n",
        ":1: no column names the pictures: add a column",
    ),
    "no score": ("image,y_true,y_pred\np,1,1\n", ":1: no column is the score: say which one is"),
    "no rows": (COLUMNS, ": a header and no rows"),
    "no label": ("image,score\np,1\n", ":1: no column says which pictures show a face"),
    "kind": (COLUMNS.replace("logit", "score") + "a,1,p,g,1,.5\n", ": the column 'score' may hold"),
    "two arms": ("arm,model,image,label,logit\n", ":1: 'arm' and 'model' may all be the arm"),
    "word": (f"{SOUND}a,2,p,g,1,high\n", ":3: column 'logit': 'high' is not a number"),
    "comma": (
        SOUND.replace(",", ";") + "a;2;p;g;1;0,5\n",
        ":3: column 'logit': '0,5' is not a number: write a decimal point",
    ),
    "infinite": (f"{SOUND}a,2,p,g,1,inf\n", ":3: column 'logit': a score is finite, or -inf"),
    "beyond floats": (f"{SOUND}a,2,p,g,1,1e999\n", ":3: column 'logit': a score is finite"),
    "no probability": (
        COLUMNS.replace("logit", "prob") + "a,1,p,g,1,1.5\n",
        ": 1.5 is no probability",
    ),
    "label": (f"{SOUND}a,2,p,g,2,1\n", ":3: column 'label': '2' is neither 1 (a face) nor 0"),
    "twice": (f"{SOUND}a,1,p,g,1,2\n", ":3: run 1 of a has 'p' in line 2 already"),
    "missing": (f"{SOUND}a,1,q,g,1,2\na,2,q,g,1,1\n", ": run 2 of a has no row for 1 picture"),
    "half failed": (f"{SOUND}a,1,q,g,1,\n", ":3: run 1 of a has a score of some pictures and none"),
    "short": (f"{SOUND}a,2,p,g,1\n", ":3: 5 cells, and the header has 6"),
    "long": (f"{SOUND}a,2,p,g,1,1,1\n", ":3: 7 cells, and the header has 6"),
    "quotes": (f'{SOUND}a,2,"p,g,1,1\n', ":3: 3 cells, and the header has 6"),
    "group": (f"{SOUND}a,2,p,h,1,1\n", ":3: 'p' is of group 'h', and in line 2 of 'g'"),
    "no group": (f"{SOUND}a,1,q,,1,1\n", ":3: column 'group' is empty for a face"),
    "two people": (
        "arm,run,image,group,label,logit,subject_id\na,1,p,g,1,1,s\na,2,p,g,1,1,t\n",
        ":3: 'p' is of cluster 't', and in line 2 of 's'",
    ),
    "nobody": (
        "arm,run,image,group,label,logit,cluster\na,1,p,g,1,1,\n",
        ":2: column 'cluster' is empty for a face",
    ),
    "two columns of people": (
        "image,label,logit,cluster,subject_id\np,1,1,s,s\n",
        ":1: 'cluster' and 'subject_id' may all be the cluster: say which one",
    ),
    "no face": (f"{COLUMNS}a,1,p,,0,1\n", ": no picture shows a face (label 1)"),
    "no name": (f"{COLUMNS}a,1,,g,1,1\n", ":2: the picture has no name"),
    "no arm": (f"{COLUMNS},1,p,g,1,1\n", ":2: the arm or the run is empty"),
    "long name": (f"{COLUMNS}{'a' * 9000},1,p,g,1,1\n", ": the arm 'aaaa"),
    "many groups": (
        COLUMNS + "".join(f"a,1,p{k},g{k},1,1\n" for k in range(300)),
        ": 300 groups; 200 at most",
    ),
    "many arms": (
        COLUMNS + "".join(f"a{k},1,p,g,1,1\n" for k in range(300)),
        ": 300 arms; 200 at most",
    ),
    "not text": (SOUND.encode() + b"a,2,\xff,g,1,1\n", ": is not UTF-8"),
    "key": (remark("refrence: a"), ":1: unknown key 'refrence'; did you mean 'reference'?"),
    "key twice": (remark("keep: 1\n# keep: 2"), ":2: the key keep is twice"),
    "rate": (remark("rates: [2]"), f"{HEADER}rates.0: Input should be less than 1"),
    "block": (remark("block: [0, 0]"), f"{HEADER}block.1: Input should be greater"),
    "depth": (remark(f"arms: {'[' * 100_000}"), f"{HEADER}arms: Input should be a valid"),
    "arms": (remark('arms: [{"name": "a"}, {"name": "a"}]'), f"{HEADER}arms: two are called 'a'"),
    "looks": (remark('looks: {"planned": []}'), f"{HEADER}looks: one look or more is planned"),
    "published": (remark('published: {"x": 1}'), f"{HEADER}source: Field required"),
    "claims": (remark('claims: [{"x": 1}]'), f"{HEADER}claims: each has two arms or more"),
    "gap": (remark('gap_share: {"ceilings": ["z"]}'), ": its header asks of unknown arms: z"),
    "reference": (remark("reference: z"), ": unknown arm 'z'; the arms are: a"),
    "keep": (remark("keep: 9"), ": keep is 9, but no arm has more than 1 run"),
    "selector": (remark("by: accuracy"), ": runs are ranked by accuracy, and the header has no"),
    "threshold": (
        remark("threshold: 2").replace("logit", "prob"),
        ": a threshold of probabilities lies between 0 and 1, not at 2",
    ),
}
