"""What the platform is told by its environment, `ECOCASE_…`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from shared.audit.period import LEAST_DAYS, USUAL_DAYS
from shared.kafka.cluster import Cluster

LOG = "platform.log"
"""The log's name in the data folder."""


class SettingsError(ValueError):
    """An environment variable has a value it cannot have; the message names it."""


class Settings(BaseSettings):
    """The settings of one platform; another folder and port make another platform."""

    model_config = SettingsConfigDict(env_prefix="ECOCASE_", env_file=None, extra="ignore")

    data: Path = Field(Path("data"), description="数据目录")
    host: str = Field("127.0.0.1", description="监听地址")
    port: int = Field(8000, ge=0, le=65535, description="监听端口")
    public_url: str | None = Field(None, description="对外网址，缺省为 http://HOST:PORT")
    trusted_proxies: str = Field(
        "", description="可信代理的地址，以逗号分隔；只采信它们在 X-Forwarded-For 中写的来源"
    )
    audience: str = Field("ecocase", description="访问令牌的受众")
    log: str = Field("", description="日志文件，- 为标准错误；缺省为数据目录中的 platform.log")
    log_level: str = Field("INFO", description="日志级别")

    demo: bool = Field(default=True, description="没有账号时是否建立演示账号；正式使用设为 false")
    session_idle_minutes: int = Field(30, ge=10, le=120, description="登录闲置多久后失效，分钟")
    session_hours: int = Field(12, ge=1, le=24, description="登录最长有效，小时")
    password_days: int = Field(90, ge=1, le=365, description="密码最长使用，天")
    audit_days: int = Field(
        USUAL_DAYS,
        ge=LEAST_DAYS,
        le=36_500,
        description=f"审计日志保存天数，不少于 {LEAST_DAYS}（网络安全法21）",
    )

    issuer_url: str | None = Field(None, description="外部身份认证(OIDC)的 issuer")
    issuer_jwks_url: str | None = Field(None, description="其 JWKS 地址")
    issuer_account_claim: str = Field("sub", description="账号声明")
    issuer_roles_claim: str = Field("roles", description="角色声明，可为路径")
    issuer_bureau_claim: str = Field("bureau", description="行政区划代码声明")

    database_url: str | None = Field(
        None, description="外部 PostgreSQL 的地址；缺省用内置的 PostgreSQL"
    )
    database_urls: dict[str, str] = Field(
        default_factory=dict, description="个别服务的数据库地址，JSON：服务 → 地址"
    )

    kafka_bootstrap: str | None = Field(
        None, description="Kafka 集群的地址 主机:端口，以逗号分隔；缺省不用 Kafka，事件直接交给统计"
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="与 Kafka 的连接方式"
    )
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL 机制"
    )
    kafka_username: str | None = Field(None, description="SASL 用户名")
    kafka_password: SecretStr | None = Field(None, description="SASL 密码")
    kafka_ca: Path | None = Field(None, description="签发 Kafka 证书的 CA，PEM 文件")
    kafka_certificate: Path | None = Field(None, description="本机的客户端证书，PEM 文件")
    kafka_key: Path | None = Field(None, description="其私钥，PEM 文件")
    kafka_prefix: str = Field(
        "ecocase", pattern=r"^[A-Za-z0-9._-]{1,100}$", description="主题名的前缀"
    )
    kafka_group: str = Field("ecocase-reporting", min_length=1, description="统计的消费组")
    kafka_instance: str | None = Field(
        None, description="本进程在消费组中的固定名称；缺省为主机名与端口"
    )
    kafka_session_seconds: float = Field(
        30, ge=1, le=300, description="统计的进程多久没有心跳后，其分区交给别的进程，秒"
    )
    kafka_replication: int = Field(1, ge=1, le=9, description="ecocase topics 所建主题的副本数")

    def kafka_cluster(self) -> Cluster | None:
        """The Kafka cluster events go over; None where they are handed over directly."""
        if self.kafka_bootstrap is None:
            return None
        password = self.kafka_password
        return Cluster(
            self.kafka_bootstrap,
            prefix=self.kafka_prefix,
            security=self.kafka_security,
            mechanism=self.kafka_mechanism,
            username=self.kafka_username,
            password=None if password is None else password.get_secret_value(),
            ca=self.kafka_ca,
            certificate=self.kafka_certificate,
            key=self.kafka_key,
        )

    def database_url_of(self, service: str) -> str | None:
        """Where a service's schema is; None on the embedded PostgreSQL."""
        return self.database_urls.get(service, self.database_url)

    @classmethod
    def read(cls) -> Self:
        """Read the environment; raises `SettingsError`."""
        try:
            return cls()
        except (ValidationError, PydanticSettingsError) as error:
            names = (
                [f"ECOCASE_{str(one['loc'][0]).upper()}" for one in error.errors()]
                if isinstance(error, ValidationError)
                else [str(error)]
            )
            raise SettingsError(f"环境变量的值不合规定：{'、'.join(names)}") from error

    @property
    def log_path(self) -> Path:
        """The log file."""
        return Path(self.log) if self.log else self.data.resolve() / LOG

    @property
    def url(self) -> str:
        """Where the platform is reached."""
        return self.public_url or f"http://{self.host}:{self.port}"
