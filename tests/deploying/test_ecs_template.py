"""deploy/ecs.yaml as a stack in moto, and held together with the code that it runs.

moto's CloudFormation makes no scaling, alarms and metric filters, loses a task definition's size
and roles and a service's strategy: those are read in the file. It takes no cluster, no
service and no target group away.
"""

import json
import os
import re
import runpy
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from apps.tasks.worker import supervisor
from igloo.deploying.secrets import as_lines
from tests.deploying import stacks
from tests.media.s3 import S3Server
from tests.processes import free_port, wait_for_answer
from tests.test_settings import COMPLETE, start

# What moto's CloudFormation does not make, it only tells of.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

IMAGE = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/igloo"
TASKS = {"web": "WebTask", "worker": "WorkerTask", "one-off": "OneOffTask"}
# What an environment file says besides what the template sets.
OF_FILE = {"ALLOWED_HOSTS", "DATABASE_URL", "PUBLIC_BASE_URL", "SECRET_KEY"}


def resources() -> dict[str, Any]:
    return dict(stacks.template("ecs.yaml")["Resources"])


def properties(name: str) -> dict[str, Any]:
    return dict(resources()[name]["Properties"])


def container(task: str) -> dict[str, Any]:
    [found] = properties(TASKS[task])["ContainerDefinitions"]
    return dict(found)


def make(action: str = "create", **changed: str) -> dict[str, str]:
    place = stacks.network()
    certificates = boto3.client("acm")
    certificate = certificates.request_certificate(DomainName="api.igloo.example")
    parameters = stacks.NAMES | {
        "Certificate": certificate["CertificateArn"],
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/igloo-production-execution",
        "Image": f"{IMAGE}:first",
        "PublicSubnets": place["subnets"],
        "TaskRoleArn": "arn:aws:iam::123456789012:role/igloo-production-task",
        "TaskSubnets": place["subnets"],
        "Vpc": place["vpc"],
    }
    return stacks.write(action, "igloo-ecs", "ecs.yaml", parameters | changed)


def made(family: str) -> dict[str, Any]:
    """The container of a family's newest task definition."""
    ecs = boto3.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition=f"igloo-production-{family}")
    [found] = definition["taskDefinition"]["containerDefinitions"]
    return dict(found)


def environment(family: str) -> dict[str, str]:
    return {item["name"]: item["value"] for item in made(family)["environment"]}


# --- The stack -----------------------------------------------------------------------------------


def test_it_is_made_changed_and_taken_away(account: S3Server) -> None:
    ecs, balancers = boto3.client("ecs"), boto3.client("elbv2")
    outputs = make(DatabaseGroup="sg-0123456789abcdef0")
    services = ecs.describe_services(cluster=outputs["ClusterName"], services=["web", "worker"])
    definitions = {item["serviceName"]: item["taskDefinition"] for item in services["services"]}
    assert definitions["web"].endswith("/igloo-production-web:1")
    assert definitions["worker"].endswith("/igloo-production-worker:1")
    assert outputs["OneOffTask"].endswith("/igloo-production-one-off:1")
    for family in TASKS:
        assert made(family)["image"] == f"{IMAGE}:first"
        assert environment(family)["ECS_SECURITY_GROUPS"].split(",") == [
            outputs["TaskSecurityGroup"],
            "sg-0123456789abcdef0",
        ]

    make("update", Image=f"{IMAGE}:second")
    # moto keeps an updated container in a form that boto3 can't read: so by their numbers.
    newest = {arn.partition("/")[2] for arn in ecs.list_task_definitions()["taskDefinitionArns"]}
    assert newest == {f"igloo-production-{family}:2" for family in TASKS}

    boto3.client("cloudformation").delete_stack(StackName="igloo-ecs")
    assert not balancers.describe_load_balancers()["LoadBalancers"]
    assert not boto3.client("iam").list_roles()["Roles"]
    groups = boto3.client("ec2").describe_security_groups()["SecurityGroups"]
    assert {group["GroupName"] for group in groups} == {"default"}


def test_a_release_migrates_with_its_image_before_anything_else_has_it(account: S3Server) -> None:
    make(OneOffImage=f"{IMAGE}:second")
    assert {family: made(family)["image"].rpartition(":")[2] for family in TASKS} == {
        "web": "first",
        "worker": "first",
        "one-off": "second",
    }


def test_a_first_release_migrates_before_there_are_services(account: S3Server) -> None:
    cluster = make(Services="false")["ClusterName"]
    assert boto3.client("ecs").list_services(cluster=cluster)["serviceArns"] == []
    assert {made(family)["image"] for family in TASKS} == {f"{IMAGE}:first"}


def test_requests_come_by_https_to_the_web_alone(account: S3Server) -> None:
    outputs = make()
    balancers = boto3.client("elbv2")
    [balancer] = balancers.describe_load_balancers()["LoadBalancers"]
    found = balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    listeners = {item["Port"]: item for item in found}
    [redirect] = listeners[80]["DefaultActions"]
    assert redirect["RedirectConfig"]["Protocol"] == "HTTPS"
    assert redirect["RedirectConfig"]["StatusCode"] == "HTTP_301"
    assert listeners[443]["Protocol"] == "HTTPS"
    assert "TLS13" in listeners[443]["SslPolicy"]
    rules = balancers.describe_rules(ListenerArn=listeners[443]["ListenerArn"])["Rules"]
    [rule] = [rule for rule in rules if rule["Priority"] == "1"]
    [forward] = rule["Actions"]
    weights = {
        group["TargetGroupArn"].split("/")[1]: group["Weight"]
        for group in forward["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {"igloo-production-blue": 1, "igloo-production-green": 0}
    groups = boto3.client("ec2").describe_security_groups(GroupIds=[outputs["TaskSecurityGroup"]])
    [opening] = groups["SecurityGroups"][0]["IpPermissions"]
    assert opening["FromPort"] == opening["ToPort"] == 8000
    assert not opening["IpRanges"]
    [who] = opening["UserIdGroupPairs"]
    assert who["GroupId"] == balancer["SecurityGroups"][0]


# --- The template and the code -------------------------------------------------------------------


def test_the_port_is_gunicorns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    bind = runpy.run_path(str(stacks.DEPLOY / "gunicorn.conf.py"))["bind"]
    port = int(bind.rpartition(":")[2])
    web = container("web")
    assert [item["ContainerPort"] for item in web["PortMappings"]] == [port]
    assert properties("Web")["LoadBalancers"][0]["ContainerPort"] == port
    assert properties("Blue")["Port"] == properties("Green")["Port"] == port
    assert "PORT" not in {item["Name"] for item in web["Environment"]}
    assert web["Command"] == [
        *("python", "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "igloo.wsgi")
    ]
    module, _, attribute = settings.WSGI_APPLICATION.rpartition(".")
    assert (module, attribute) == ("igloo.wsgi", "application")  # gunicorn's default attribute


def test_both_groups_ask_whether_the_web_is_ready_and_drain_it(client: Any, db: None) -> None:
    blue, green = properties("Blue"), properties("Green")
    assert blue.pop("Name") != green.pop("Name")
    assert blue == green
    assert client.get(blue["HealthCheckPath"]).json() == {"status": "ok"}
    attributes = {item["Key"]: item["Value"] for item in blue["TargetGroupAttributes"]}
    assert attributes["deregistration_delay.timeout_seconds"] == "110"


@pytest.mark.parametrize("task", ["worker", "one-off"])
def test_a_command_is_one_that_manage_py_knows(task: str) -> None:
    found = container(task)
    commands = [found["Command"]]
    if task == "worker":
        first, *check = found["HealthCheck"]["Command"]
        assert first == "CMD"
        assert check[2] == "task_health"
        commands.append(check)
    for command in commands:
        python, manage, name, *arguments = command
        assert (python, manage) == ("python", "manage.py")
        parser = load_command_class(get_commands()[name], name).create_parser(manage, name)
        parser.parse_args(arguments)  # exits where it does not know one


def test_running_tasks_have_their_time_to_end() -> None:
    for task in TASKS:
        assert container(task)["StopTimeout"] == 120 > supervisor.STOP_SECONDS


@pytest.mark.parametrize("task", TASKS)
def test_a_container_can_do_little(task: str) -> None:
    found, definition = container(task), properties(TASKS[task])
    assert found["ReadonlyRootFilesystem"] is True
    assert found["User"] == "10001"
    assert found["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    [volume], [mount] = definition["Volumes"], found["MountPoints"]
    assert volume == {"Name": mount["SourceVolume"]}
    assert mount["ContainerPath"] == "/tmp"  # noqa: S108
    assert definition["ExecutionRoleArn"] == {"Ref": "ExecutionRoleArn"}
    assert definition["TaskRoleArn"] == {"Ref": "TaskRoleArn"}
    assert definition["RuntimePlatform"]["CpuArchitecture"] == {"Ref": "Architecture"}


@pytest.mark.parametrize("task", TASKS)
def test_its_logs_go_where_data_yaml_makes_a_group(task: str) -> None:
    data = stacks.template("data.yaml")["Resources"].values()
    groups = [
        item["Properties"]["LogGroupName"]["Fn::Sub"]
        for item in data
        if item["Type"] == "AWS::Logs::LogGroup"
    ]
    options = container(task)["LogConfiguration"]["Options"]
    assert options["awslogs-group"]["Fn::Sub"] == f"/igloo/${{Stage}}/{task}"
    assert options["awslogs-group"]["Fn::Sub"] in groups


def test_every_variable_is_one_that_igloo_reads() -> None:
    text = (settings.BASE_DIR / "igloo" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:config\.\w+|environ\.get)\(\s*"([A-Z_]+)"', text))
    common = [item["Name"] for item in container("worker")["Environment"]]
    assert set(common) <= read
    assert [item["Name"] for item in container("one-off")["Environment"]] == common
    # gunicorn's own ("Settings", "workers").
    assert [item["Name"] for item in container("web")["Environment"]] == [
        *common,
        "WEB_CONCURRENCY",
    ]


@pytest.fixture
def stage_of_container(account: S3Server) -> dict[str, str]:
    """The variables of a container, as ECS puts them together: the template's win."""
    make()
    of_file = {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in COMPLETE.items()
    }
    lines = as_lines({name: of_file[name] for name in sorted(OF_FILE)}).splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs} | environment("worker")


def test_a_container_starts_as_its_stage(stage_of_container: dict[str, str], tmp_path: Any) -> None:
    shown = (
        "__import__('json').dumps([settings.STAGE, settings.ECS, settings.TRUSTED_PROXIES,"
        " {name: queue['transport'] for name, queue in settings.TASK_QUEUES.items()}])"
    )
    stage, ecs, proxies, queues = json.loads(start(tmp_path, shown=shown, **stage_of_container))
    assert stage == "production"
    assert proxies == 1
    assert set(queues) == {"default", "media", "push", "mail", "heavy"}
    assert queues.pop("heavy") == "ecs"
    assert set(queues.values()) == {"djangoq"}
    # What apps/tasks/transports/ecs.py starts is what this stack made.
    client = boto3.client("ecs")
    definition = client.describe_task_definition(taskDefinition=ecs["task_definition"])
    [one_off] = definition["taskDefinition"]["containerDefinitions"]
    assert one_off["name"] == ecs["container"]
    assert client.describe_clusters(clusters=[ecs["cluster"]])["clusters"]
    assert ecs["subnets"] == stacks.network()["subnets"].split(",")
    group = boto3.client("ec2").describe_security_groups(GroupIds=ecs["security_groups"])
    assert len(group["SecurityGroups"]) == 1


def test_the_webs_command_answers_a_load_balancer(stage_of_container: dict[str, str]) -> None:
    """By the container's address, as its health checks do; the database is away here."""
    port = free_port()
    own = {
        "ALLOWED_HOSTS": "api.example.com,localhost",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "PORT": str(port),
    }
    agent = {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/container"}
    python, *words = container("web")["Command"]
    assert python == "python"
    web = subprocess.Popen(
        [sys.executable, *words],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | environment("web") | stage_of_container | own | agent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(host: str, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        with closing(connection):
            connection.request("GET", path, headers={"Host": host})
            return connection.getresponse().status

    try:
        address = f"{socket.gethostbyname(socket.gethostname())}:8000"
        wait_for_answer(f"http://localhost:{port}/healthz")
        assert ask(address, "/healthz") == 200
        assert ask(address, properties("Blue")["HealthCheckPath"]) == 503
        assert ask("evil.example.com", "/healthz") == 400
    finally:
        web.terminate()
        assert web.wait(30) == 0


@pytest.mark.parametrize("name", sorted(OF_FILE))
def test_the_environment_file_has_the_rest(
    stage_of_container: dict[str, str], tmp_path: Any, name: str
) -> None:
    del stage_of_container[name]
    said = start(tmp_path, **stage_of_container)
    assert f"{name} is missing" in said


def test_the_environment_file_is_the_one_that_make_secrets_writes() -> None:
    for task in TASKS:
        [file] = container(task)["EnvironmentFiles"]
        assert file["Type"] == "s3"
        assert file["Value"] == {
            "Fn::Sub": "arn:${AWS::Partition}:s3:::${SecretsBucket}/${Stage}.env"
        }
    zappa = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text(encoding="utf-8"))
    for name in stacks.template("ecs.yaml")["Parameters"]["Stage"]["AllowedValues"]:
        assert zappa[name].get("remote_env", f"/{name}.json").endswith(f"/{name}.json")


# --- Deploys and scaling -------------------------------------------------------------------------


def test_a_deploy_changes_over_when_healthy_and_goes_back_when_not() -> None:
    web, worker = properties("Web"), properties("Worker")
    back = {"Enable": True, "Rollback": True}
    for service in (web, worker):
        assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == back
        # Else an update of the stack would undo what the scaling found right.
        assert "DesiredCount" not in service
    assert web["DeploymentConfiguration"]["Strategy"] == "BLUE_GREEN"
    [balancing] = web["LoadBalancers"]
    advanced = balancing["AdvancedConfiguration"]
    assert balancing["TargetGroupArn"] == {"Ref": "Blue"}
    assert advanced["AlternateTargetGroupArn"] == {"Ref": "Green"}
    assert advanced["ProductionListenerRule"] == {"Ref": "Production"}


def test_on_spot_one_web_task_is_not() -> None:
    condition, spot, other = properties("Web")["CapacityProviderStrategy"]["Fn::If"]
    assert condition == "OnSpot"
    assert {item["CapacityProvider"]: item.get("Base", 0) for item in spot} == {
        "FARGATE": 1,
        "FARGATE_SPOT": 0,
    }
    assert [item["CapacityProvider"] for item in other] == ["FARGATE"]
    _, spot, other = properties("Worker")["CapacityProviderStrategy"]["Fn::If"]
    assert [item["CapacityProvider"] for item in spot] == ["FARGATE_SPOT"]
    assert [item["CapacityProvider"] for item in other] == ["FARGATE"]


def test_requests_are_counted_whichever_group_has_them() -> None:
    tracking = properties("WebRequests")["TargetTrackingScalingPolicyConfiguration"]
    *groups, total = tracking["CustomizedMetricSpecification"]["Metrics"]
    assert total["ReturnData"] is True
    names = set()
    for metric in groups:
        assert metric["ReturnData"] is False
        assert metric["Id"] in total["Expression"]
        assert metric["MetricStat"]["Metric"]["MetricName"] == "RequestCountPerTarget"
        dimensions = metric["MetricStat"]["Metric"]["Dimensions"]
        names |= {item["Value"]["Fn::GetAtt"][0] for item in dimensions}
    assert names == {"Balancer", "Blue", "Green"}


def test_the_age_of_the_oldest_task_is_read_from_what_a_worker_logs(
    settings: Any, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    settings.DEPLOYED = True
    with caplog.at_level("INFO", logger=supervisor.logger.name):
        supervisor.Supervisor()._tell(1.0)
    [message] = caplog.messages
    what, seconds = message.split(" ")
    assert float(seconds) == 0.0
    found = properties("OldestTask")
    # The last two words of a line, whatever stands before them ("Filter pattern syntax").
    assert found["FilterPattern"] == f'[..., what = "{what}", seconds]'
    [made_of_it] = found["MetricTransformations"]
    assert made_of_it["MetricValue"] == "$seconds"
    for alarm, action in (("TasksWait", "MoreWorkers"), ("NoTaskWaits", "FewerWorkers")):
        read = properties(alarm)
        assert read["Namespace"] == made_of_it["MetricNamespace"]
        assert read["MetricName"] == made_of_it["MetricName"]
        assert read["AlarmActions"] == [{"Ref": action}]
        assert read["Period"] >= supervisor._TELL_SECONDS
