"""What this computer has, and what it is doing now. No Qt and no model library here."""
