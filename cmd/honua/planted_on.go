//go:build chaos

package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/planted"
)

// plant has this process show the defect that the environment names.
func plant() {
	name := os.Getenv(planted.Variable)
	if name != "" && !fsm.Plant(name) && !slices.Contains(planted.Defects(), planted.Defect(name)) {
		fmt.Fprintf(os.Stderr, "%s: no such defect: %q\n", planted.Variable, name)
		os.Exit(1)
	}
}
