package terminal

// usual is a size, or what is usual for one that is not known.
func usual(columns, rows int) (int, int) {
	if columns <= 0 {
		columns = 80
	}
	if rows <= 0 {
		rows = 24
	}
	return columns, rows
}
