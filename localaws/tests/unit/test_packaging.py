"""Templates and the packages that they name."""

import io
import os
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from localaws.packaging import Packager, zip_directory
from localaws.template_file import read_template


class Uploads(dict[str, bytes]):
    """An S3 that is a dictionary."""

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        assert Key not in self
        self[f"s3://{Bucket}/{Key}"] = Body


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "app.py").write_text("def handler(event, context): ...")
    (tmp_path / "code" / "__pycache__" / "app.pyc").write_bytes(b"stale")
    return tmp_path / "code"


def test_a_package_has_everything_but_caches(code: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(zip_directory(code))) as package:
        assert package.namelist() == ["app.py"]


def test_the_same_files_make_the_same_package_whenever_they_were_written(code: Path) -> None:
    first = zip_directory(code)
    os.utime(code / "app.py", (0, 1_000_000_000))
    assert zip_directory(code) == first


def test_local_paths_become_locations_in_s3(code: Path) -> None:
    template: dict[str, Any] = {
        "Globals": {"Function": {"CodeUri": "code"}},
        "Resources": {
            "Inherits": {"Type": "AWS::Serverless::Function", "Properties": {}},
            "Own": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "code"}},
            "Remote": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"CodeUri": "s3://elsewhere/code.zip"},
            },
        },
    }
    uploads = Uploads()
    packaged = Packager(uploads, "artefacts", code.parent).package(template)
    (location,) = uploads
    assert packaged["Globals"]["Function"]["CodeUri"] == location
    assert packaged["Resources"]["Own"]["Properties"]["CodeUri"] == location
    remote = packaged["Resources"]["Remote"]["Properties"]
    assert remote == {"CodeUri": "s3://elsewhere/code.zip"}
    assert template["Globals"]["Function"] == {"CodeUri": "code"}


def test_short_functions_are_spelled_out(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    text = """
        AWSTemplateFormatVersion: 2010-09-09
        Resources:
          R:
            A: !Ref P
            B: !GetAtt R.Arn.More
            C: !Sub "${P}-x"
            D: !If [IsOn, !Ref P, !Ref AWS::NoValue]
            E: !FindInMap [M, !Ref AWS::Region, K]
            F: {Condition: !Condition IsOn}
    """
    path.write_text(dedent(text))
    template = read_template(path)
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    assert template["Resources"]["R"] == {
        "A": {"Ref": "P"},
        "B": {"Fn::GetAtt": ["R", "Arn.More"]},
        "C": {"Fn::Sub": "${P}-x"},
        "D": {"Fn::If": ["IsOn", {"Ref": "P"}, {"Ref": "AWS::NoValue"}]},
        "E": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "K"]},
        "F": {"Condition": {"Condition": "IsOn"}},
    }


def test_what_is_no_template_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shopping.yaml"
    path.write_text("- milk")
    with pytest.raises(ValueError, match=r"shopping\.yaml is not a CloudFormation template"):
        read_template(path)


def test_the_script_of_a_glue_job_is_uploaded(code: Path) -> None:
    command = {"Name": "glueetl", "ScriptLocation": "code/app.py"}
    job = {"Type": "AWS::Glue::Job", "Properties": {"Command": command}}
    uploads = Uploads()
    packaged = Packager(uploads, "artefacts", code.parent).package({"Resources": {"Job": job}})
    (location,) = uploads
    assert packaged["Resources"]["Job"]["Properties"]["Command"]["ScriptLocation"] == location
    assert uploads[location] == (code / "app.py").read_bytes()
