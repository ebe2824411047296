package main

import "github.com/spf13/cobra"

func newDevCommand(*session) *cobra.Command { return &cobra.Command{Use: "dev"} }
