"""MSK: clusters answer with the address of a broker that runs here."""

from collections.abc import Callable

from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches

_AUTHENTICATIONS = ("", "Tls", "SaslScram", "SaslIam")


def patch(patches: Patches, brokers: Callable[[], str]) -> None:
    """Let every cluster have these brokers; without any, MiniStack's placeholder that nobody answers."""
    clusters = service("msk")

    def addresses(cluster: str) -> dict[str, str]:
        found: dict[str, str] = original(cluster)
        if address := brokers():
            found |= {f"BootstrapBrokerString{each}": address for each in _AUTHENTICATIONS}
        return found

    original = patches.replace(clusters, "_bootstrap_strings", addresses)
