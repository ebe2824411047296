package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

// rollingPoll is how often a rolling restart looks at the cluster.
const rollingPoll = 250 * time.Millisecond

const rollingLong = `Restart the nodes one after another, the leader last. The command is given to a shell once for each node, with its
id in HONUA_NODE and its host in HONUA_HOST; it has to return when the node's process was restarted.

Before each node, every node has to be healthy. After it, the node has to run as a new process, be healthy and have applied
what the cluster had applied, and the cluster has to have its quorum, within --within; otherwise nothing more is restarted,
and the command says which node, why, and what is left to do.`

// rolling is one rolling restart.
type rolling struct {
	session *session
	command string
	within  time.Duration
	nodes   []string
}

func newRollingRestartCommand(s *session) *cobra.Command {
	r := &rolling{session: s}
	command := &cobra.Command{
		Use: "rolling-restart [NODE…] --command COMMAND", Short: "Restart all nodes, or some, one after another", Long: rollingLong,
		Example: "  honua cluster rolling-restart --command 'ssh \"$HONUA_HOST\" sudo systemctl restart honua'\n" +
			"  honua cluster rolling-restart node2 --within 5m --command './restart.sh \"$HONUA_NODE\"'",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.nodes = args
			return r.run(cmd.Context())
		},
	}
	command.Flags().StringVar(&r.command, "command", "", "what restarts a node: a command for sh, with HONUA_NODE and HONUA_HOST set")
	command.Flags().DurationVar(&r.within, "within", 2*time.Minute, "how long a node may take to be restarted and to be well again")
	_ = command.MarkFlagRequired("command") // the flag was defined two lines before
	return command
}

// errRolling ends a rolling restart before its end.
var errRolling = errors.New("the rolling restart was ended")

func (r *rolling) run(ctx context.Context) error {
	status, err := r.status(ctx)
	if err != nil {
		return err
	}
	order, err := restartOrder(status, r.nodes)
	if err != nil {
		return err
	}
	if problem := unwell(status); problem != "" {
		return fmt.Errorf("%w: nothing was restarted: %s", errRolling, problem)
	}
	fmt.Fprintf(r.session.out, "Restarting %s, one after another\n", strings.Join(order, ", "))
	for i, node := range order {
		begun := time.Now()
		if err := r.restart(ctx, node); err != nil {
			return fmt.Errorf("%w at %s: %w; not begun: %s. Once `honua cluster status` shows all nodes healthy, run it again for those that are left",
				errRolling, node, err, orElse(strings.Join(order[i+1:], ", "), "none"))
		}
		fmt.Fprintf(r.session.out, "%s was restarted and is well, after %.1f s\n", node, time.Since(begun).Seconds())
	}
	return nil
}

// restart restarts one node of a healthy cluster and waits until it is one again.
func (r *rolling) restart(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, r.within)
	defer cancel()
	before, err := r.until(ctx, unwell)
	if err != nil {
		return err
	}
	server := serverOf(before, node)
	if server == nil {
		return errors.New("it is not in the cluster any more")
	}
	host, _, err := net.SplitHostPort(server.GRPCAddress)
	if err != nil {
		return fmt.Errorf("its gRPC address: %w", err)
	}
	command := exec.CommandContext(ctx, "sh", "-c", r.command)
	command.Env = append(os.Environ(), "HONUA_NODE="+node, "HONUA_HOST="+host)
	command.Stdout, command.Stderr = r.session.out, r.session.err
	if err := command.Run(); err != nil {
		return fmt.Errorf("the command that restarts it: %w", err)
	}
	mark := before.AppliedIndex
	_, err = r.until(ctx, func(now view.ClusterStatus) string {
		after := serverOf(now, node)
		switch {
		case after == nil:
			return "it is not in the cluster any more"
		case sameProcess(server, after):
			return "it was not restarted: its process is the one from before"
		case after.AppliedIndex < mark:
			return fmt.Sprintf("it is behind: it has applied %d of %d", after.AppliedIndex, mark)
		}
		return unwell(now)
	})
	return err
}

func sameProcess(before, after *view.Server) bool {
	return before.Started != nil && (after.Started == nil || after.Started.Equal(before.Started.Time))
}

// until asks for the cluster's status until nothing is wrong with it; its error says what was.
func (r *rolling) until(ctx context.Context, problem func(view.ClusterStatus) string) (view.ClusterStatus, error) {
	found := "the cluster did not answer"
	for {
		status, err := r.status(ctx)
		if err == nil {
			if found = problem(status); found == "" {
				return status, nil
			}
		} else if ctx.Err() == nil {
			found = err.Error()
		}
		timer := time.NewTimer(rollingPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return status, fmt.Errorf("%w after %s: %s", errTimeout, r.within, found)
		case <-timer.C:
		}
	}
}

func (r *rolling) status(ctx context.Context) (view.ClusterStatus, error) {
	return r.session.clusterStatus(ctx, readFlags{stale: true})
}

// unwell says what speaks against taking a node away; empty if nothing does.
func unwell(status view.ClusterStatus) string {
	switch {
	case !status.Founded():
		return fmt.Sprintf("there is no cluster yet: %s belongs to none", status.NodeID)
	case !status.Led():
		return fmt.Sprintf("there is no leader: %d voters have to reach each other", status.Quorum)
	}
	for _, server := range status.Servers {
		if !server.Healthy {
			return server.ID + ": " + orElse(strings.Join(server.Notices, "; "), "not healthy")
		}
	}
	return ""
}

func serverOf(status view.ClusterStatus, id string) *view.Server {
	for i := range status.Servers {
		if status.Servers[i].ID == id {
			return &status.Servers[i]
		}
	}
	return nil
}

// restartOrder is who is restarted when: those that do not vote, then the followers, then the leader.
func restartOrder(status view.ClusterStatus, wanted []string) ([]string, error) {
	for _, id := range wanted {
		if serverOf(status, id) == nil {
			return nil, fmt.Errorf("there is no node %q in the cluster", id)
		}
	}
	weight := func(s view.Server) int {
		switch {
		case s.Leader:
			return 2
		case s.Voter:
			return 1
		}
		return 0
	}
	servers := slices.Clone(status.Servers)
	slices.SortStableFunc(servers, func(a, b view.Server) int { return weight(a) - weight(b) })
	var order []string
	for _, s := range servers {
		if len(wanted) == 0 || slices.Contains(wanted, s.ID) {
			order = append(order, s.ID)
		}
	}
	return order, nil
}
