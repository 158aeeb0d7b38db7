"""Forms that texts of a known kind have."""

from __future__ import annotations

EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
UUID = r"^\{?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?$"
IBAN = r"^[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,4})?$"
WEB_ADDRESS = r"^(https?|ftp)://\S+$"
PHONE = r"^\+?[\d ().\-/]{7,20}( ?x\d+)?$"
