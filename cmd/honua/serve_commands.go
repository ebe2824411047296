package main

import "github.com/spf13/cobra"

// serverCommands are the commands that run a node in this process.
func serverCommands() []*cobra.Command { return nil }
