package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/buildinfo"
)

func newVersionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which build this is",
		Example: "  honua version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info := buildinfo.Get()
			return s.print(info, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "honua %s\n", info)
				return err
			})
		},
	}
}
