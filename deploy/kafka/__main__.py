"""`make kafka`: a broker in ECOCASE_DATA/kafka until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from deploy.kafka.broker import Broker, KafkaUnavailableError

PORT = 9092


def main() -> None:
    """Run it; what is missing is said in one line."""
    data = Path(os.environ.get("ECOCASE_DATA", "data")).resolve()
    port = int(os.environ.get("ECOCASE_KAFKA_PORT", str(PORT)))
    broker = Broker(data / "kafka", port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        broker.start()
        print(  # noqa: T201 - a command line prints
            f"Apache Kafka 已就绪：{broker.bootstrap}\n"
            f"  使用：ECOCASE_KAFKA_BOOTSTRAP={broker.bootstrap} ecocase topics\n"
            f"  日志在 {broker.log}\n  按 Ctrl-C 停止",
            flush=True,
        )
        if broker.process is not None:
            sys.exit(broker.process.wait())
    except KafkaUnavailableError as error:
        sys.exit(f"kafka：{error}")
    except KeyboardInterrupt:
        pass
    finally:
        broker.stop()


if __name__ == "__main__":
    main()
