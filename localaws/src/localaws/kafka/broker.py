"""One broker and controller in a process of its own, with its data in a temporary directory."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

from localaws.kafka.fetch import KafkaUnavailable

_MAIN, _FORMAT = "kafka.Kafka", "kafka.tools.StorageTool"
_HOST = "127.0.0.1"
_PORTS = range(20_000, 32_000)
_SECONDS_TO_START, _SECONDS_TO_STOP = 120.0, 60.0
# Small heaps are enough for tests, and a quick compiler makes short lives shorter.
_JAVA_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# Generated records have times far from the machine's clock: no time is refused, and none is too old to keep.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.message.timestamp.after.max.ms=9223372036854775807
"""


class KafkaBroker:
    """Runs between `start` and `stop`, or in a `with`; `kill` and `start` again are a crash, after which the data are still there.

    `jars` is the directory that `fetch` fills; `properties` are lines for server.properties, which replace lines of the same name.
    """

    def __init__(self, jars: Path, properties: str = "") -> None:
        self._jars = jars
        self._properties = properties
        self._java = shutil.which("java")
        self._home = Path(tempfile.mkdtemp(prefix="kafka-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Return host and port for clients."""
        if self._ports is None:
            raise RuntimeError("the broker has not been started")
        return f"{_HOST}:{self._ports[0]}"

    def start(self) -> None:
        """Start, and return when the broker accepts connections. Raises `KafkaUnavailable`."""
        if self._java is None:
            raise KafkaUnavailable("Apache Kafka needs Java 17 or newer; there is no java in PATH")
        if not any(self._jars.glob("kafka_2.13-*.jar")):
            raise KafkaUnavailable(f"{self._jars} has no Apache Kafka; make build/kafka/.ready")
        if self._ports is None:
            self._start_anew()
        else:
            self._run(self._ports[0])

    def _start_anew(self, tries: int = 3) -> None:
        """Start on free ports; on others if another process takes them meanwhile."""
        ports = _free_ports()
        try:
            self._format(*ports)
            self._run(ports[0])
        except KafkaUnavailable:
            shutil.rmtree(self._home, ignore_errors=True)
            if tries == 1:
                raise
            self._start_anew(tries - 1)
        else:
            self._ports = ports

    def _run(self, port: int) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command(_MAIN, str(self._settings)),
                cwd=self._home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers(port, self._process)

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the process in order, and delete its data."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._home, ignore_errors=True)
        self._ports = None

    @property
    def _settings(self) -> Path:
        return self._home / "server.properties"

    @property
    def _log(self) -> Path:
        return self._home / "broker.log"

    def _command(self, main: str, *arguments: str) -> list[str]:
        if self._java is None:
            raise KafkaUnavailable("Apache Kafka needs Java 17 or newer; there is no java in PATH")
        return [self._java, *_JAVA_OPTIONS, "-cp", f"{self._jars.absolute()}/*", main, *arguments]

    def _format(self, port: int, controller: int) -> None:
        self._home.mkdir(exist_ok=True)
        data = self._home / "data"
        self._settings.write_text(
            _PROPERTIES.format(host=_HOST, port=port, controller=controller, data=data)
            + self._properties
        )
        identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # The tool reads an id that begins with a dash as an option.
        cluster = f"k{identity[1:]}"
        command = self._command(
            _FORMAT, "format", "--cluster-id", cluster, "--config", str(self._settings)
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise KafkaUnavailable(f"Apache Kafka cannot format its storage: {done.stderr[-500:]}")

    def _wait_until_it_answers(self, port: int, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break  # another process may answer at this port
            try:
                socket.create_connection((_HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        end = self._log.read_text(errors="replace")[-1000:]
        raise KafkaUnavailable(f"Apache Kafka does not start: {end}")

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _free_ports() -> tuple[int, int]:
    """Return two ports that are free now; the system gives none of their range to outgoing connections."""
    free = [port for port in random.sample(_PORTS, 40) if _is_free(port)]
    if len(free) < 2:
        raise KafkaUnavailable(f"no ports are free between {_PORTS.start} and {_PORTS.stop}")
    return free[0], free[1]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def jars_directory() -> Path:
    """Return the directory of Kafka's files: KAFKA_JARS, or build/kafka of the working directory."""
    return Path(os.environ.get("KAFKA_JARS", "build/kafka"))
