// Command complete continues Go source from an offset in a file, as an editor
// would have it: complete FILE OFFSET. The model is part of the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
)

//go:generate go tool mambac generate ../../cmd/mambac/demo/go-mamba-5m --package gomamba --dir gomamba

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const usage = `Usage: complete [flags] FILE OFFSET

Prints what may follow the first OFFSET bytes of FILE; - is standard input.

`

// run is the program; it returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("complete", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	var s settings
	flags.IntVar(&s.tokens, "n", 64, "print at most this many `tokens`")
	flags.Float64Var(&s.temperature, "temperature", 0, "0 takes the likeliest token, more is more varied")
	flags.Uint64Var(&s.seed, "seed", 1, "start of the random numbers of a temperature above 0")
	flags.TextVar(&s.until, "until", untilBlank, "end at: line, blank (line), brace (closing, at column 0), or never")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	offset, err := strconv.Atoi(flags.Arg(1))
	if flags.NArg() != 2 || err != nil {
		flags.Usage()
		return 2
	}
	source, err := readSource(flags.Arg(0), stdin)
	if err == nil {
		err = complete(ctx, source, offset, s, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

func readSource(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}
