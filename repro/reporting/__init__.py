"""What people see: tables, figures, reports and the terminal. Never loads torch."""
