package security

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/honua-io/honua-gitops/test/harness"
)

// reads are the methods of the admin API that only read, as the API itself lists them.
func reads(t *testing.T) (found []protoreflect.MethodDescriptor) {
	t.Helper()
	protoregistry.GlobalFiles.RangeFilesByPackage("honua.gitops.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			if name := service.Name(); name == "PeerService" || name == "NodeService" {
				continue // nodes alone may call them
			}
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				for _, verb := range []string{"Get", "List", "Plan", "Verify", "Check", "Watch", "Save", "Collect"} {
					if strings.HasPrefix(string(method.Name()), verb) {
						found = append(found, method)
					}
				}
			}
		}
		return true
	})
	if len(found) < 15 {
		t.Fatalf("only %d methods read", len(found))
	}
	return found
}

// answers are what a node says to a read, about an environment or a deployment.
func answers(t *testing.T, n *harness.Node, method protoreflect.MethodDescriptor, environment, deployment string) []byte {
	t.Helper()
	conn, err := n.Conn()
	if err != nil {
		t.Fatal(err)
	}
	request := dynamicpb.NewMessage(method.Input())
	fields := method.Input().Fields()
	for name, value := range map[protoreflect.Name]string{"environment": environment, "name": environment, "id": deployment} {
		if field := fields.ByName(name); field != nil && field.Kind() == protoreflect.StringKind {
			request.Set(field, protoreflect.ValueOfString(value))
		}
	}
	full := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if strings.HasPrefix(string(method.Name()), "Watch") { // it has no end: what was there before comes at once
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, full)
	if err == nil {
		err = errors.Join(stream.SendMsg(request), stream.CloseSend())
	}
	var said []byte
	for err == nil {
		answer := dynamicpb.NewMessage(method.Output())
		if err = stream.RecvMsg(answer); err != nil {
			break
		}
		text, failed := protojson.Marshal(answer)
		if failed != nil {
			t.Fatal(failed)
		}
		said = append(append(said, text...), binaryFields(answer)...)
	}
	if code := status.Code(err); !errors.Is(err, io.EOF) && code != codes.DeadlineExceeded && code != codes.FailedPrecondition {
		t.Errorf("%s at %s: %v", full, n.ID, err)
	}
	return append(said, err.Error()...)
}

// binaryFields are a message's fields of bytes, which JSON has in base64.
func binaryFields(m protoreflect.Message) (all []byte) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Kind() == protoreflect.BytesKind && !field.IsList() {
			all = append(all, value.Bytes()...)
		}
		return true
	})
	return all
}
