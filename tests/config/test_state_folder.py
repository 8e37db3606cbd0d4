import stat

import pytest

from nightowl.config import state_folder
from nightowl.core.errors import ConfigurationError


def test_systemds_state_directory_comes_first(tmp_path):
    assert state_folder({"STATE_DIRECTORY": f"{tmp_path}/s:{tmp_path}/t"}) == tmp_path / "s"


def test_otherwise_it_is_in_the_users_data_folder(tmp_path):
    folder = state_folder({"XDG_DATA_HOME": str(tmp_path)})
    assert folder == tmp_path / "nightowl"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="STATE_DIRECTORY names one"):
        state_folder({"STATE_DIRECTORY": str(tmp_path / "file")})
