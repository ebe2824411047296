package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// What one import may carry, so that it is one entry of the log.
const (
	maxImported      = 500
	maxImportedBytes = 192 << 10
)

// importedView is the answer of an import.
type importedView struct {
	Environment    string        `json:"environment"`
	Records        int           `json:"records"`
	Imported       uint32        `json:"imported"`
	DeployedCommit string        `json:"deployedCommit"`
	Next           string        `json:"next"`
	AppliedIndex   uint64        `json:"appliedIndex"`
	Warnings       []problemView `json:"warnings"`
}

func newEnvironmentImportCommand(s *session) *cobra.Command {
	var write writeFlags
	command := &cobra.Command{
		Use:   "import FILE",
		Short: "Put the history of a state file on record: a backup, or one made by hand",
		Long: `Put the history of a {environment}.json on record: a backup of another server's, or one made by hand.
Its deployments become records of the environment, marked as imported, older than all that the cluster
did itself; those that are known by their id stay as they are. Nothing is activated, approved or held:
a state file has no content. What the file calls deployed is compared with what the cluster serves, and
what to do about a difference is said.`,
		Example: "  honua environment import /var/honua/backups/deployments/production-20251023.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFormat(); err != nil {
				return err
			}
			return s.importFile(cmd.Context(), args[0], write)
		},
	}
	write.register(command.Flags())
	return command
}

func (s *session) importFile(ctx context.Context, path string, write writeFlags) error {
	content, err := readInput(path)
	if err != nil {
		return fmt.Errorf("the state file cannot be read: %w", err)
	}
	file, problems := catalog.ParseStateFile(catalog.File{Path: path, Content: content})
	if catalog.HasErrors(problems) {
		return s.refuseFile(problems)
	}
	sum := sha256.Sum256(content)
	request := &pb.ImportEnvironmentRequest{
		RequestId: write.id(), Environment: file.Environment, Source: filepath.Base(path), SourceDigest: hex.EncodeToString(sum[:]),
		DeployedCommit: file.DeployedCommit, Actor: write.approver, Deployments: importRecords(file.Deployments),
	}
	var answer *pb.ImportEnvironmentResponse
	err = s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		answer, err = c.Environments().ImportEnvironment(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	shown := importedView{
		Environment: file.Environment, Records: len(file.Deployments), Imported: answer.GetImported(), DeployedCommit: file.DeployedCommit,
		Next: afterImport(file.DeployedCommit, answer.GetEnvironment()), AppliedIndex: answer.GetAppliedIndex(), Warnings: problemViews(problems),
	}
	return s.print(shown, func(w io.Writer) error { return printImported(w, shown) })
}

// refuseFile prints what is wrong with a file, on stderr, and that nothing was sent.
func (s *session) refuseFile(problems []catalog.Problem) error {
	for _, p := range problems {
		text := p.Error()
		if p.Severity != catalog.Error {
			text += " (" + p.Severity.String() + ")"
		}
		fmt.Fprintln(s.err, safe(text))
	}
	return errors.New("the state file is not valid; nothing was imported")
}

// importRecords are the newest records, as many as one entry of the log can hold.
func importRecords(found []catalog.StateDeployment) []*pb.Deployment {
	var records []*pb.Deployment
	size := 0
	for _, d := range found {
		size += 96 + len(d.ID) + len(d.Commit) + len(d.Branch) + len(d.Author) + len(d.Message) + len(d.InitiatedBy) + len(d.ErrorMessage)
		if len(records) == maxImported || size > maxImportedBytes {
			break
		}
		records = append(records, &pb.Deployment{
			Id: d.ID, Commit: d.Commit, Branch: d.Branch, Author: d.Author, Message: d.Message, State: view.State(d.State),
			StartedAt: moment(d.StartedAt), CompletedAt: moment(d.CompletedAt), InitiatedBy: d.InitiatedBy, ErrorMessage: d.ErrorMessage,
		})
	}
	return records
}

func moment(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

// afterImport says what the operator may want to do next: an import deploys nothing.
func afterImport(commit string, e *pb.Environment) string {
	name := e.GetName()
	switch {
	case commit == "":
		return ""
	case holds(e, commit):
		return fmt.Sprintf("nothing: %s serves %s already", name, view.Short(commit))
	case e.GetCurrentDeployment().GetState() == pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL && strings.HasPrefix(e.GetCurrentDeployment().GetCommit(), commit):
		return "honua deployment approve " + e.GetCurrentDeployment().GetId()
	case strings.HasPrefix(e.GetLatestCommit(), commit):
		return fmt.Sprintf("honua environment sync %s: %s is the head of %s and not served yet", name, view.Short(commit), e.GetBranch())
	case e.GetDeployedCommit() == "":
		return fmt.Sprintf("%s serves nothing yet and the file says %s: honua environment sync %s deploys the head of %s; "+
			"to have that commit, make it the head with git revert", name, view.Short(commit), name, e.GetBranch())
	default:
		return fmt.Sprintf("%s serves %s, the file says %s: if that is to be served again, bring the branch back to it with git revert",
			name, view.Short(e.GetDeployedCommit()), view.Short(commit))
	}
}

func printImported(w io.Writer, v importedView) error {
	for _, p := range v.Warnings {
		fmt.Fprintln(w, safe(catalog.Problem{Position: catalog.Position{File: p.File, Line: p.Line, Column: p.Column}, Field: p.Field, Message: p.Message}.Error())+" (warning)")
	}
	fmt.Fprintf(w, "%s: %d of %s imported", v.Environment, v.Imported, count(v.Records, "record"))
	if left := v.Records - int(v.Imported); left > 0 {
		fmt.Fprintf(w, "; %d known already, or beyond the history limit", left)
	}
	newline(w)
	if v.Next != "" {
		_, err := fmt.Fprintf(w, "Next: %s\n", safe(v.Next))
		return err
	}
	return nil
}
