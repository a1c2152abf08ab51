"""What CloudFormation does with the credentials of whoever deploys, by the type of the resource.

Source: the handlers' permissions (create, read, update, delete) in AWS's resource type schemas, `aws cloudformation
describe-type --type RESOURCE --type-name TYPE --query Schema`; left out is what serves properties that the template does not
set: keys of one's own, VPCs, indexes, streams, replication. AWS::IAM::ManagedPolicy and the policies of SQS name theirs in the
documentation of the service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from localaws.iam.needs import Need

# The resource whose ARN the calls for a type bear, where it is another's.
_ABOUT = {
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::Subscription": "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
}
# To whom a resource of the type hands its role.
_HANDS_ROLES_TO = {
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::StepFunctions::StateMachine": "states.amazonaws.com",
}
# Actions that know no resource.
_OF_ANY = {
    "logs:DescribeLogGroups",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}
_OF_OUR_POLICIES = {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
ACTIONS: Mapping[str, str] = {
    "AWS::CloudFormation::Stack": "cloudformation: CreateStack DescribeStacks UpdateStack DeleteStack",
    "AWS::CloudWatch::Alarm": """cloudwatch: PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource
        ListTagsForResource""",
    "AWS::CloudWatch::Dashboard": """cloudwatch: PutDashboard GetDashboard DeleteDashboards TagResource UntagResource
        ListTagsForResource""",
    "AWS::DynamoDB::Table": """dynamodb: CreateTable DescribeTable UpdateTable DeleteTable DescribeTimeToLive UpdateTimeToLive
        DescribeContinuousBackups UpdateContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination
        GetResourcePolicy TagResource UntagResource ListTagsOfResource""",
    "AWS::Events::Rule": """events: PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule TagResource
        UntagResource ListTagsForResource""",
    "AWS::IAM::ManagedPolicy": """iam: CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion
        DeletePolicyVersion ListPolicyVersions ListEntitiesForPolicy""",
    "AWS::IAM::Role": """iam: CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole
        PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy
        ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary TagRole UntagRole""",
    "AWS::Lambda::Function": """lambda: CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration
        DeleteFunction GetFunctionCodeSigningConfig GetFunctionRecursionConfig GetRuntimeManagementConfig TagResource
        UntagResource ListTags""",
    "AWS::Lambda::LayerVersion": "lambda: PublishLayerVersion GetLayerVersion DeleteLayerVersion",
    "AWS::Lambda::Permission": "lambda: AddPermission GetPolicy RemovePermission",
    "AWS::Logs::LogGroup": """logs: CreateLogGroup DescribeLogGroups PutRetentionPolicy GetDataProtectionPolicy DeleteLogGroup
        TagResource UntagResource ListTagsForResource""",
    "AWS::S3::Bucket": """s3: CreateBucket ListBucket PutBucketTagging PutEncryptionConfiguration PutLifecycleConfiguration
        PutBucketPublicAccessBlock PutBucketOwnershipControls GetAccelerateConfiguration GetLifecycleConfiguration
        GetBucketPublicAccessBlock GetAnalyticsConfiguration GetBucketCORS GetEncryptionConfiguration
        GetInventoryConfiguration GetBucketLogging GetMetricsConfiguration GetBucketNotification GetBucketVersioning
        GetReplicationConfiguration GetBucketWebsite GetBucketObjectLockConfiguration GetBucketTagging
        GetBucketOwnershipControls GetIntelligentTieringConfiguration""",
    "AWS::S3::BucketPolicy": "s3: GetBucketPolicy PutBucketPolicy DeleteBucketPolicy",
    "AWS::SNS::Subscription": """sns: Subscribe GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe
        GetTopicAttributes""",
    "AWS::SNS::Topic": """sns: CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic ListSubscriptionsByTopic
        GetDataProtectionPolicy TagResource UntagResource ListTagsForResource""",
    "AWS::SNS::TopicPolicy": "sns: SetTopicAttributes",
    "AWS::SQS::Queue": """sqs: CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue TagQueue UntagQueue
        ListQueueTags""",
    "AWS::SQS::QueuePolicy": "sqs: SetQueueAttributes",
    "AWS::StepFunctions::StateMachine": """states: CreateStateMachine DescribeStateMachine UpdateStateMachine
        DeleteStateMachine TagResource UntagResource ListTagsForResource""",
}


@dataclass(frozen=True)
class Provisioned:
    """The resources of a stack, their physical ids by type."""

    ids: Mapping[str, list[str]]
    place: str

    def needs(self) -> Iterator[Need]:
        """Everything that creating, updating and deleting them asks to be allowed."""
        for kind in self.ids:
            for action in actions(kind):
                for name in self.ids[_ABOUT.get(kind, kind)]:
                    yield from self._needs_of(action, _ABOUT.get(kind, kind), name)
            if kind in _HANDS_ROLES_TO:
                passed = {"iam:passedtoservice": _HANDS_ROLES_TO[kind]}
                for role in self.ids["AWS::IAM::Role"]:
                    yield Need("iam:PassRole", self._arn("AWS::IAM::Role", role), passed)

    def _needs_of(self, action: str, kind: str, name: str) -> Iterator[Need]:
        if action in _OF_OUR_POLICIES:
            for policy in self.ids["AWS::IAM::ManagedPolicy"]:
                yield Need(action, self._arn(kind, name), {"iam:policyarn": policy})
        else:
            yield Need(action, self._resource(action, kind, name))

    def _resource(self, action: str, kind: str, name: str) -> str:
        if action in _OF_ANY:
            return "*"
        if action == "cloudwatch:DescribeAlarms":
            return self._arn(kind, "*")
        arn = self._arn(kind, name)
        if action == "lambda:PublishLayerVersion":
            return arn.rpartition(":")[0]
        of_streams = kind == "AWS::Logs::LogGroup" and not action.endswith("Resource")
        return f"{arn}:log-stream:" if of_streams else arn

    def _arn(self, kind: str, name: str) -> str:
        account = self.place.rpartition(":")[2]
        made = {
            "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{self.place}:alarm:{name}",
            "AWS::CloudWatch::Dashboard": f"arn:aws:cloudwatch::{account}:dashboard/{name}",
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{self.place}:table/{name}",
            "AWS::Events::Rule": f"arn:aws:events:{self.place}:rule/{name}",
            "AWS::IAM::Role": f"arn:aws:iam::{account}:role/{name}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{self.place}:function:{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{self.place}:log-group:{name}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{self.place}:{name.rpartition('/')[2]}",
        }
        return name if name.startswith("arn:") else made[kind]


def actions(kind: str) -> list[str]:
    """IAM's names of all that CloudFormation does with resources of this type."""
    service, _, names = ACTIONS[kind].partition(": ")
    return [f"{service}:{name}" for name in names.split()]
