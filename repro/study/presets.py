"""Complete combinations of settings from the literature: a study starts from one of them.

If a source does not specify a setting, `literature.yaml` says so, and that of the reproduction is
used here.
"""

from typing import Any

from repro.study.merge import merge

# de Haan, ten Kaate, van Loenhout & van Woerden (2020), as their code has it.
_DEHAAN2020: dict[str, Any] = {
    "model": "dbvae",
    "architecture": "dehaan2020",
    "latent_dim": 100,
    "decoder_input": "all",
    "latent_noise": "std",
    "batch_norm": "batch",
    "indicator": "faces",
    "classification": {"weight": 1.0},
    "kl": {"weight": 1.0},
    "reconstruction": {"norm": "l2", "reduction": "sum", "weight": 1.0},
    "resampling": {
        "rule": "max",
        "arithmetic": "log",
        "density": "mass",
        "alpha": 0.001,
        "bins": 10,
        "latents": "mean",
        "pixels": "unit",
        "channels": "trained",
        "first_epoch": "uniform",
        "replacement": "with",
        "balance": "expected",
        "uniform_epochs": "shuffle",
    },
    "learning_rate": 0.001,
    "batch_size": 24,
    "epochs": 60,
    "checkpoint": "best_val_accuracy",
    "validation_share": 0.2,
    "precision": "fp32",
    "windows": {"sizes": 5, "smallest": 0.5, "stride": 0.2, "resize": "nearest"},
    "data": "synthetic",
}

# Amini, Soleimany, Schwarting, Bhatia & Rus (2019), equation 4 and algorithm 1 as printed.
_AMINI2019 = merge(
    _DEHAAN2020,
    {
        "resampling": {"rule": "product", "latents": "sample", "first_epoch": "resampled"},
        "epochs": 50,
    },
)

# MIT 6.S191, lab 2 part 2, of 2020 to 2022, in TensorFlow 2; without the defects named below.
_MIT2020 = merge(
    _DEHAAN2020,
    {
        "architecture": "mit2020",
        "kl": {"weight": 0.0005},
        "reconstruction": {"norm": "l1", "reduction": "mean"},
        "resampling": {
            "density": "density",
            "first_epoch": "resampled",
            "replacement": "without",
            "balance": "exact",
            "uniform_epochs": "draw",
        },
        "learning_rate": 0.0005,
        "batch_size": 32,
        "epochs": 6,
        "checkpoint": "last",
    },
)

# The lab of 2019, in TensorFlow 1.
_MIT2019 = merge(
    _MIT2020,
    {
        "architecture": "mit2019",
        "reconstruction": {"norm": "l2"},
        "resampling": {"alpha": 0.0},
        "learning_rate": 0.001,
        "batch_size": 36,
        "epochs": 10,
    },
)

# The lab in PyTorch, from 2024 on, as its authors meant it.
_MIT2024 = merge(_MIT2020, {"architecture": "mit2024", "epochs": 2})

# The same as published, with its defects: the indicator of faces is swapped; latent noise is scaled
# by the variance instead of its root; the density is computed from pixels from 0 to 255 in BGR
# order; and batch normalisation stays in evaluation mode.
_MIT2024_DEFECTS = merge(
    _MIT2024,
    {
        "latent_noise": "variance",
        "batch_norm": "stored",
        "indicator": "swapped",
        "resampling": {"pixels": "raw", "channels": "reversed"},
    },
)

# Fijen, Niewenhuis, Mitnik & de Marez Oyens (2020), FacialDebiasing.
_FIJEN2020 = merge(
    _DEHAAN2020,
    {
        "architecture": "fijen2020",
        "latent_dim": 200,
        "decoder_input": "faces",
        "kl": {"weight": 0.0005},  # 0.1 of the mean over 200 latents
        "reconstruction": {"reduction": "mean"},
        "resampling": {
            "density": "density",
            "alpha": 0.01,
            "first_epoch": "resampled",
            "balance": "exact",
            "uniform_epochs": "draw",
        },
        "batch_size": 256,
        "epochs": 50,
        "checkpoint": "last",
        "windows": {"sizes": 15, "resize": "bilinear"},
    },
)

PRESETS: dict[str, dict[str, Any]] = {
    "amini2019": _AMINI2019,
    "mit2019": _MIT2019,
    "mit2020": _MIT2020,
    "mit2024": _MIT2024,
    "mit2024_defects": _MIT2024_DEFECTS,
    "dehaan2020": _DEHAAN2020,
    "fijen2020": _FIJEN2020,
}
