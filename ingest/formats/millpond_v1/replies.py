"""What a device of ours is told: up to where it may forget its samples, and which it is asked to send again."""

from devices.wire import Ack, ResendCommand, build_topic
from ingest.nouns import Complete, Gap


def build_ack(complete: Complete) -> tuple[str, bytes]:
    """Topic and payload that tell a device up to which number all of a boot is safe."""
    ack = Ack(boot=complete.boot, seq=complete.seq)
    return build_topic(complete.serial, "ack"), ack.model_dump_json().encode()


def build_resend(gap: Gap, command_id: str) -> tuple[str, bytes]:
    """Topic and payload that ask a device for the numbers of a gap."""
    command = ResendCommand(id=command_id, boot=gap.boot, from_seq=gap.from_seq, to_seq=gap.to_seq)
    return build_topic(gap.serial, "command"), command.model_dump_json(by_alias=True).encode()
