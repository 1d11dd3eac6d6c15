"""Commands of LaTeX in tables: what they print, or what is dropped with them."""


def _words(text: str) -> list[str]:
    return text.split()


SHOWN = frozenset(  # print what follows in another face
    _words(
        "textbf textit textrm textsc texttt textsf textsl textmd textup emph underline uline "
        "mathbf mathrm mathit mathsf mathtt mathcal boldsymbol bm text mbox hbox ensuremath bf it "
        "em rm sc tt sf bfseries itshape mdseries rmfamily sffamily ttfamily scshape centering "
        "raggedright raggedleft displaystyle textstyle boldmath unboldmath protect noindent relax "
        "left right arraybackslash makecell thead shortstack small footnotesize scriptsize tiny "
        "normalsize large scriptstyle scriptscriptstyle hfill hss null strut num SI qty "
    )
)
DROPPED = {  # with so many arguments in braces, those in square brackets not counted
    **dict.fromkeys(_words("color cellcolor rowcolor textcolor colorbox hspace vspace phantom"), 1),
    **dict.fromkeys(
        _words("hphantom vphantom label ref footnote footnotemark cite citep citet"), 1
    ),
    **dict.fromkeys(_words("citealp citeyear autocite tnote tablefootnote multirowcell end"), 1),
    **dict.fromkeys(_words("rotatebox scalebox raisebox makebox parbox href"), 1),
    **dict.fromkeys(_words("multirow multicolumn fontsize resizebox rule begin"), 2),
}
PRINTED = {  # what other commands print
    "pm": "±",
    "textpm": "±",
    "mp": "∓",
    "textsubscript": "_",
    "textsuperscript": "^",
    "percent": "%",
    "times": "×",
    "cdot": "·",
    "leq": "≤",
    "le": "≤",
    "geq": "≥",
    "ge": "≥",
    "lesssim": "≲",
    "gtrsim": "≳",
    "approx": "≈",
    "sim": "~",
    "uparrow": "↑",
    "downarrow": "↓",
    "rightarrow": "→",
    "to": "→",
    "dagger": "†",
    "dag": "†",
    "ddagger": "‡",
    "ddag": "‡",
    "ast": "*",
    "star": "*",
    "infty": "inf",
    "ldots": "…",
    "dots": "…",
    "textasciitilde": "~",
    "textless": "<",
    "textgreater": ">",
    "textbackslash": "\\",
    "textendash": "–",
    "textemdash": "—",
    "checkmark": "✓",
    "quad": " ",
    "qquad": " ",
    "newline": " ",
    "tabularnewline": " ",
    "linebreak": " ",
    "par": " ",
    "thinspace": " ",
    "enspace": " ",
    **{
        name: name
        for name in _words(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma "
            "tau phi chi psi omega varepsilon Delta Gamma Lambda Sigma Omega max min log exp sup"
        )
    },
}
SMALLER = frozenset(_words("small footnotesize scriptsize tiny scriptstyle scriptscriptstyle"))
SPACES = frozenset(_words(", ; : ! / \\ > space")) | {" ", "\n", "\t"}
KNOWN = SHOWN | set(DROPPED) | set(PRINTED) | SPACES
