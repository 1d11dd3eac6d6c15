"""A program for the checkers' environment: validates an RO-Crate without a network.

``python crate_check.py CACHE FILES CRATE ...``: a line for each issue of each crate, then its name.
"""

import io
import sys
from pathlib import Path

CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate-1.1-context.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run-context.json",
}
PROFILE = "workflow-run-crate-0.5"
KIND = {"Content-Type": "application/ld+json"}


def fill(cache, files):
    """Store the contexts as if they had been fetched."""
    import requests
    import requests_cache
    from urllib3.response import HTTPResponse

    session = requests_cache.CachedSession(cache_name=cache, backend="sqlite", expire_after=-1)
    for url, name in CONTEXTS.items():
        body = (Path(files) / name).read_bytes()
        found = requests.Response()
        found.status_code, found.url, found._content = 200, url, body
        found.headers.update(KIND)
        found.request = requests.Request("GET", url).prepare()
        found.raw = HTTPResponse(
            body=io.BytesIO(body), status=200, headers=KIND, preload_content=False, request_url=url
        )
        session.cache.save_response(found)


def issues(crate, cache):
    """What the crate lacks of what its profile requires."""
    from rocrate_validator import services
    from rocrate_validator.models import Severity

    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=PROFILE,
        offline=True,
        cache_path=cache,
        requirement_severity=Severity.REQUIRED,
    )
    return services.validate(settings).get_issues()


if __name__ == "__main__":
    cache, files, *crates = sys.argv[1:]
    fill(cache, files)
    for crate in crates:
        for one in issues(crate, cache):
            sys.stdout.write(f"{one.check.identifier}: {' '.join(str(one.message).split())}\n")
        sys.stdout.write(f"checked {Path(crate).name}\n")
