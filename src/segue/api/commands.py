"""Every command that a running server runs for others: those of the service, and of what stands on it."""

from __future__ import annotations

from segue.deliver import commands as deliver
from segue.experiences import commands as experiences
from segue.service import commands as service
from segue.service.commands.command import Command

COMMANDS: dict[str, Command] = {**service.COMMANDS, **experiences.COMMANDS, **deliver.COMMANDS}
"""By the name under which the control door knows them."""
