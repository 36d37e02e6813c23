"""The scanner of an installation, from its settings (M10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.settings import Settings
from juki.scanning import ScannerAddress, Standing
from juki.wire.scan_gate import ScanGate
from juki.wire.scanner import Scanner


def scan_gate_of(settings: Settings) -> ScanGate:
    """Build what inbound files pass; without a configured scanner they pass unscanned."""
    if not settings.scanner_address:
        return ScanGate()
    scanner = Scanner(ScannerAddress.parse(settings.scanner_address), settings.scanner_timeout_seconds)
    limit = timedelta(hours=settings.scanner_pattern_hours or 0)
    return ScanGate(scanner, limit, settings.scanner_database_folder)


def scanner_standing(settings: Settings, now: datetime) -> Standing:
    """Tell how scanning stands now: off, fresh or stopped, with the date of its patterns; asks the scanner."""
    return scan_gate_of(settings).standing(now)
