"""What a device of ours is told: up to where it may forget its samples, and which it is asked to send again."""

import orjson

from devices.wire import ResendCommand, build_topic
from ingest.nouns import Complete, Gap


def build_ack(complete: Complete) -> tuple[str, bytes]:
    """Topic and payload that tell a device up to which number all of a boot is safe."""
    # There is one a batch for each device: `devices.wire.Ack` says the same and costs ten times as much.
    return build_topic(complete.serial, "ack"), orjson.dumps({"boot": complete.boot, "seq": complete.seq})


def build_resend(gap: Gap, command_id: str) -> tuple[str, bytes]:
    """Topic and payload that ask a device for the numbers of a gap."""
    command = ResendCommand(id=command_id, boot=gap.boot, from_seq=gap.from_seq, to_seq=gap.to_seq)
    return build_topic(gap.serial, "command"), command.model_dump_json(by_alias=True).encode()
