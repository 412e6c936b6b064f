"""A master key that is missing, short or unreadable stops the start, by name and without showing it."""

from base64 import b64encode
from secrets import token_bytes

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.master_keys import read_master_keys


def test_keys_are_read_from_the_variable_or_from_the_file_the_present_one_first(tmp_path):
    keys = (token_bytes(32), token_bytes(32))
    texts = [b64encode(key).decode() for key in keys]
    file = tmp_path / "master"
    file.write_text("\n".join(texts) + "\n")

    assert read_master_keys(text=", ".join(texts), file="") == keys
    assert read_master_keys(text="", file=str(file)) == keys
    assert read_master_keys(text=texts[1], file=str(file)) == (keys[1],)
    assert read_master_keys(text="", file="") == ()


@pytest.mark.parametrize(
    ("text", "content", "name"),
    [
        ("c2hvcnQ=", None, "PLAZA_MASTER_KEY "),
        ("not base64 at all", None, "PLAZA_MASTER_KEY "),
        (b64encode(b"x" * 31).decode(), None, "PLAZA_MASTER_KEY "),
        ("", "", "PLAZA_MASTER_KEY_FILE"),
        ("", "c2hvcnQ=", "PLAZA_MASTER_KEY_FILE"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path, text, content, name):
    file = tmp_path / "master"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_master_keys(text=text, file=str(file) if content is not None else "")
    assert name in str(refusal.value)
    assert not text or text not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="PLAZA_MASTER_KEY_FILE cannot be read"):
        read_master_keys(text="", file=str(tmp_path / "none"))
