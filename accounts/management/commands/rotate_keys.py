"""Rotate keys: `manage.py rotate_keys [--organisation N] [--root] [--destroy VERSION]`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from crypto import inventory, keyring, rotation
from crypto.seal import SealBroken


class Command(BaseCommand):
    help = (
        "Make new sealing keys and wrap every data key with them; no record is encrypted again."
        " Without --organisation: every organisation, and the keys of tokens and of the trail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", type=int, metavar="N", help="only this one")
        parser.add_argument(
            "--root", action="store_true", help="wrap all keys by the first root key given"
        )
        parser.add_argument(
            "--destroy", type=int, metavar="VERSION", help="destroy an old version that is unused"
        )
        parser.add_argument("--list", action="store_true", help="show versions and counts only")

    def handle(self, **options: Any) -> None:
        chosen = options["organisation"]
        organisations = tenancy.organisation_ids() if chosen is None else [chosen]
        if options["destroy"] is not None and chosen is None:
            raise CommandError("--destroy needs --organisation N")
        with acting_as(Actor("system", "rotate_keys")):
            if chosen is None and not options["list"]:
                self._installation(root=options["root"])
            for organisation in organisations:
                with tenancy.acting_for(organisation):
                    self._serve(organisation, options)

    def _installation(self, *, root: bool) -> None:
        if root:
            count = rotation.change_root(organisation_id=None)
            self.stdout.write(f"installation: {count} keys wrapped by the first root key")
        else:
            keyring.rotate_installation(now=timezone.now())
            self.stdout.write("installation: new keys issue tokens and sign the trail")

    def _serve(self, organisation: int, options: dict[str, Any]) -> None:
        try:
            if options["root"]:
                self._change_root(organisation)
            elif options["destroy"] is not None:
                self._destroy(organisation, options["destroy"])
            elif not options["list"]:
                self._rotate(organisation)
        except (SealBroken, rotation.StillNeeded) as error:
            raise CommandError(f"organisation {organisation}: {error}") from None
        if not options["root"]:
            self._show(organisation)

    def _rotate(self, organisation: int) -> None:
        version, wrapped = rotation.rotate(organisation, now=timezone.now())
        trail.record("keys.rotated", detail={"version": version, "rewrapped": wrapped})
        self.stdout.write(
            f"organisation {organisation}: version {version} writes; {wrapped} data keys wrapped"
        )

    def _change_root(self, organisation: int) -> None:
        with transaction.atomic():
            count = rotation.change_root(organisation_id=organisation)
            trail.record("keys.root_changed", detail={"rewrapped": count})
        self.stdout.write(
            f"organisation {organisation}: {count} keys wrapped by the first root key"
        )

    def _destroy(self, organisation: int, version: int) -> None:
        with transaction.atomic():
            rotation.destroy(organisation, version, now=timezone.now())
            trail.record("keys.destroyed", detail={"version": version})
        self.stdout.write(f"organisation {organisation}: version {version} is destroyed")

    def _show(self, organisation: int) -> None:
        for holding in inventory.holdings(organisation):
            sealed = ", ".join(f"{n} {place}" for place, n in sorted(holding.sealed.items()))
            self.stdout.write(
                f"  version {holding.version}, {holding.state}: {sealed or 'nothing'}"
            )
