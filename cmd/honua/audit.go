package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func newAuditCommand(s *session) *cobra.Command {
	return newGroup("audit", "Read the record of every change", newAuditListCommand(s), newAuditExportCommand(s), newAuditVerifyCommand(s))
}

func newAuditListCommand(s *session) *cobra.Command {
	var read readFlags
	var environment string
	var limit uint32
	var ascending bool
	command := &cobra.Command{
		Use:     "list",
		Short:   "List who changed what, when and why, the newest first",
		Example: "  honua audit list -e production\n  honua audit list --limit 0 --ascending -o json > audit.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request := &pb.ListAuditRecordsRequest{Environment: environment, Consistency: read.consistency(), Ascending: ascending}
			list, err := s.auditRecords(cmd.Context(), request, limit)
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) error { return s.auditTable(w, list.Records) })
		},
	}
	command.Flags().StringVarP(&environment, "environment", "e", "", "only what concerns this environment")
	command.Flags().Uint32Var(&limit, "limit", 50, "at most so many; 0 is all of them")
	command.Flags().BoolVar(&ascending, "ascending", false, "the oldest first")
	read.register(command.Flags())
	return command
}

func (s *session) auditRecords(ctx context.Context, request *pb.ListAuditRecordsRequest, limit uint32) (view.AuditList, error) {
	if err := s.checkFormat(); err != nil {
		return view.AuditList{}, err
	}
	var all []*pb.AuditRecord
	for {
		request.PageSize = pageSize(limit, len(all))
		var page *pb.ListAuditRecordsResponse
		err := s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
			page, err = c.Audit().ListAuditRecords(ctx, request)
			return err
		})
		if err != nil {
			return view.AuditList{}, err
		}
		all = append(all, page.GetRecords()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || limit > 0 && len(all) >= int(limit) {
			return view.NewAuditList(all, page.GetAppliedIndex(), page.GetNextPageToken()), nil
		}
	}
}

func (s *session) auditTable(w io.Writer, records []view.AuditRecord) error {
	const narrow = 7
	t := newTable(w, s.columns(narrow, "SEQ", "AT", "ACTOR", "ACTION", "ENVIRONMENT", "OBJECT", "REASON",
		"DETAIL", "SOURCE", "AUTHENTICATION", "REQUEST", "HASH")...)
	for _, r := range records {
		t.row(s.columns(narrow, number(r.Sequence), utc(r.At), safe(r.Actor), r.Action, r.Environment, safe(r.Object),
			s.clip(r.Reason, 60), s.clip(r.Detail, 60), r.Source, r.Authentication, r.RequestID, r.Hash)...)
	}
	return t.flush()
}

func newAuditVerifyCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "verify",
		Short:   "Check that no record was changed, removed or inserted",
		Example: "  honua audit verify",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			var answer *pb.VerifyAuditChainResponse
			err := s.call(cmd.Context(), func(ctx context.Context, c *client.Client) (err error) {
				answer, err = c.Audit().VerifyAuditChain(ctx, &pb.VerifyAuditChainRequest{})
				return err
			})
			if err != nil {
				return err
			}
			return s.printChain(view.NewAuditChain(answer))
		},
	}
}

func (s *session) printChain(chain view.AuditChain) error {
	err := s.print(chain, func(w io.Writer) error {
		if !chain.Intact {
			_, err := fmt.Fprintf(w, "The chain is broken at record %d of %d.\n", chain.BrokenAt, chain.Records)
			return err
		}
		_, err := fmt.Fprintf(w, "The chain is intact: %d records from %d on, head %s\n", chain.Records, chain.FirstSequence, chain.HeadHash)
		return err
	})
	if err == nil && !chain.Intact {
		return errSaid
	}
	return err
}
