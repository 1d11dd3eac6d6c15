"""A folder of somebody else: modules that say that they were imported, and settings."""

MODULES = (  # of the standard library, ours, and what we load; some that we look for
    *("asyncio", "dataclasses", "json", "logging", "multiprocessing", "pickle", "random"),
    *("secrets", "socket", "sqlite3", "subprocess", "tempfile", "threading", "typing"),
    *("click", "fastapi", "flask", "h5py", "matplotlib", "mlflow", "numpy", "pandas", "PIL"),
    *("pillow_heif", "psutil", "pydantic", "ray", "repro", "rich", "scipy", "torch", "uvicorn"),
    *("httptools", "sitecustomize", "usercustomize", "uvloop", "yaml"),
)
SETTINGS = {  # that programs look for where they are started
    ".env": "UVICORN_HOST=0.0.0.0\n",
    ".flaskenv": "FLASK_APP=random\n",
    "gunicorn.conf.py": "import random\n",
}


def litter(folder):
    """Put all of them there; the file that any of the modules writes when it is imported."""
    marker = folder / "imported.txt"
    for name in MODULES:
        says = f"print(__name__, file=open({str(marker)!r}, 'a'))\n"
        (folder / f"{name}.py").write_text(says)
    for name, text in SETTINGS.items():
        (folder / name).write_text(text)
    return marker
