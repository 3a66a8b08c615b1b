"""What `millpond doctor` says of a user's own profiles, catalogue and formats."""

from millpond.cli.findings import Findings, bad, good
from millpond.kernel.settings import Settings


def check_own_files(settings: Settings) -> Findings:
    """Whether they can all be read; what ships always can."""
    from devices.own_files import read_own_files
    from ingest.formats.shipped import installed_formats

    own, installed = read_own_files(settings.profiles_dir, settings.catalogue_dir), installed_formats()
    for fault in own.faults:
        yield bad("profiles", fault, "correct the file, and run `millpond profile load`")
    for fault in installed.faults:
        yield bad("profiles", fault, "mend or remove that package, and start ingest again")
    if not own.faults and not installed.faults:
        models, formats = len(own.profiles), len(installed.formats)
        yield good("profiles", f"{models} profiles and {formats} formats of your own can be read.")
