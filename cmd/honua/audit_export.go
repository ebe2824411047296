package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newAuditExportCommand(s *session) *cobra.Command {
	var read readFlags
	var environment string
	var after uint64
	command := &cobra.Command{
		Use:   "export",
		Short: "Write the record of every change as JSON lines, the oldest first",
		Long: `Write the record of every change as JSON lines, the oldest first. With --after the export goes on
behind the sequence of the last line of an earlier one. It fails where records in between are not kept
any more: nothing is left out in silence.`,
		Example: "  honua audit export > audit.jsonl\n  honua audit export --after 4711 >> audit.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.flags.output != formatTable && s.flags.output != formatJSON {
				return errors.New("an export is JSON lines; there is no other format")
			}
			return s.exportAudit(cmd.Context(), &pb.ListAuditRecordsRequest{
				Environment: environment, Consistency: read.consistency(), Ascending: true, PageSize: maxPage,
			}, after)
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "only what concerns this environment")
	command.Flags().Uint64Var(&after, "after", 0, "only records after this sequence")
	read.register(command.Flags())
	return command
}

// exportAudit writes page by page, so that the whole record is never in memory.
func (s *session) exportAudit(ctx context.Context, request *pb.ListAuditRecordsRequest, after uint64) error {
	if err := s.keptSince(ctx, after); err != nil {
		return err
	}
	for first := true; first || request.GetPageToken() != ""; first = false {
		var page *pb.ListAuditRecordsResponse
		err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
			page, err = c.Audit().ListAuditRecords(ctx, request)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.exportPage(page.GetRecords(), after); err != nil {
			return err
		}
		request.PageToken = page.GetNextPageToken()
	}
	return nil
}

func (s *session) exportPage(records []*pb.AuditRecord, after uint64) error {
	for _, r := range records {
		if r.GetSequence() <= after {
			continue
		}
		if err := writeJSONLine(s.out, view.NewAuditRecord(r)); err != nil {
			return err
		}
	}
	return nil
}

// keptSince fails if a record behind a sequence is not kept any more.
func (s *session) keptSince(ctx context.Context, after uint64) error {
	if after == 0 {
		return nil
	}
	return s.call(ctx, func(ctx context.Context, c *client.Client) error {
		chain, err := c.Audit().VerifyAuditChain(ctx, &pb.VerifyAuditChainRequest{})
		if err == nil && chain.GetFirstSequence() > after+1 {
			return fmt.Errorf("the records %d to %d are not kept any more: export without --after", after+1, chain.GetFirstSequence()-1)
		}
		return err
	})
}
