package admin

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/internal/support"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// collected is what a client gets of the files that a node gathers.
func collected(t *testing.T, a *api, sample bool) (parts []*pb.CollectDebugResponse, err error) {
	t.Helper()
	stream, err := pb.NewDebugServiceClient(a.conn).CollectDebug(t.Context(), &pb.CollectDebugRequest{Sample: sample})
	for err == nil {
		var part *pb.CollectDebugResponse
		if part, err = stream.Recv(); err == nil {
			parts = append(parts, part)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return parts, err
}

// Files arrive in parts that fit into messages, whole and in order, with why one is missing.
func TestCollectDebug(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", debugPart/8)
	a := serve(t, func(c *Config) {
		c.Debug = func(_ context.Context, sample bool) iter.Seq[support.File] {
			files := []support.File{
				{Name: "long", Content: []byte(long + "end")}, {Name: "empty"}, {Name: "missing", Err: errors.New("no such file")},
				{Name: "half", Content: []byte(long), Err: errors.New("cut off")},
			}
			if sample {
				files = files[1:2]
			}
			return slices.Values(files)
		}
	})
	parts, err := collected(t, a, false)
	if err != nil {
		t.Fatal(err)
	}
	content, problems := map[string]string{}, map[string]string{}
	for _, part := range parts {
		if part.GetNodeId() != "n1" || len(part.GetData()) > debugPart {
			t.Errorf("a part of %s has %d bytes", part.GetNodeId(), len(part.GetData()))
		}
		content[part.GetName()] += string(part.GetData())
		problems[part.GetName()] += part.GetError()
	}
	if content["long"] != long+"end" || content["half"] != long || content["empty"] != "" || len(content) != 4 {
		t.Error("the files are not what they were")
	}
	if problems["missing"] != "no such file" || problems["half"] != "cut off" || problems["long"] != "" {
		t.Errorf("%v", problems)
	}
	if parts, err := collected(t, a, true); err != nil || len(parts) != 1 {
		t.Errorf("a sample has %d parts, %v", len(parts), err)
	}
	if !strings.Contains(a.log.String(), "debug information sent") {
		t.Errorf("log: %s", a.log)
	}
}

// A node collects once at a time, and one that has nothing says so.
func TestCollectDebugRefuses(t *testing.T) {
	_, err := collected(t, serve(t), false)
	wantCode(t, err, codes.FailedPrecondition, "NO_DEBUG")
	entered, release := make(chan struct{}), make(chan struct{})
	a := serve(t, func(c *Config) {
		c.Debug = func(context.Context, bool) iter.Seq[support.File] {
			return func(yield func(support.File) bool) {
				close(entered)
				<-release
				yield(support.File{Name: "x"})
			}
		}
	})
	first := make(chan error, 1)
	go func() {
		_, err := collected(t, a, false)
		first <- err
	}()
	<-entered
	_, err = collected(t, a, false)
	wantCode(t, err, codes.ResourceExhausted, "OVERLOADED")
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	denied := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{"development": Admin}}))
	if _, err := collected(t, denied, false); status.Code(err) != codes.PermissionDenied {
		t.Errorf("an admin of one environment: %v", err)
	}
}
