"""What users bring: finds labels and photographs in every known layout, and looks into each file once."""
