"""Where the servers of the tests live."""

from pathlib import Path

from tests.servers import find_room


def test_databases_are_made_in_memory_only_where_there_is_room(tmp_path: Path) -> None:
    assert find_room(tmp_path / "nowhere") is None
    assert find_room(tmp_path, bytes_needed=1) == tmp_path
    assert find_room(tmp_path, bytes_needed=10**18) is None
