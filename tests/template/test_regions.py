"""Where Random Cut Forest has no image, the template refuses to be deployed."""

import re

from tests.support.stack import Stack

# Of the SageMaker Python SDK's documentation; enough to notice a slipped line.
KNOWN = {
    "us-east-1": "382416733822",
    "us-west-2": "174872318107",
    "eu-west-1": "438346466558",
    "eu-central-1": "664544806723",
    "ap-northeast-1": "351501993468",
    "ap-southeast-2": "712309505854",
    "ca-central-1": "469771592824",
}


NO_IMAGE = {"Registry": "000000000000"}


def regions(stack: Stack) -> dict[str, dict[str, str]]:
    """Those that have an image."""
    mapping: dict[str, dict[str, str]] = stack.template["Mappings"]["RandomCutForest"]
    return {region: entry for region, entry in mapping.items() if entry != NO_IMAGE}


def test_the_rule_admits_exactly_the_regions_that_have_an_image(stack: Stack) -> None:
    [assertion] = stack.template["Rules"]["RandomCutForestIsInThisRegion"]["Assertions"]
    admitted, region = assertion["Assert"]["Fn::Contains"]

    assert region == {"Ref": "AWS::Region"}
    assert admitted == list(regions(stack)) == sorted(set(admitted))


def test_every_region_has_an_account_of_its_own(stack: Stack) -> None:
    accounts = [region["Registry"] for region in regions(stack).values()]

    assert all(re.fullmatch(r"\d{12}", account) for account in accounts)
    assert len(set(accounts)) == len(accounts)


def test_well_known_regions_have_the_accounts_that_aws_documents(stack: Stack) -> None:
    assert {region: regions(stack)[region]["Registry"] for region in KNOWN} == KNOWN


def test_without_sagemaker_no_region_is_refused_and_the_others_resolve_too(stack: Stack) -> None:
    rule = stack.template["Rules"]["RandomCutForestIsInThisRegion"]
    elsewhere = stack.template["Mappings"]["RandomCutForest"]["ap-southeast-5"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "SageMakerEngine"}, "ENABLED"]}
    assert elsewhere == NO_IMAGE


def test_the_refusal_says_why(stack: Stack) -> None:
    [assertion] = stack.template["Rules"]["RandomCutForestIsInThisRegion"]["Assertions"]
    assert "Random Cut Forest does not exist in this region" in assertion["AssertDescription"]


def test_every_function_that_makes_jobs_is_given_the_image_of_its_region(stack: Stack) -> None:
    for function in ("StartTrainingJob", "CreateModel"):
        image = stack.environment(function)["IMAGE_URI"]
        assert image == "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
