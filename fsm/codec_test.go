package fsm

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// recordKind is one kind of record with everything that is to hold for it.
type recordKind struct {
	name    string
	survive func(*rapid.T)
	schema  func(*testing.T)
	// again encodes what it decodes.
	again func([]byte) ([]byte, error)
}

func recordKinds() []recordKind {
	return []recordKind{
		kindOf(metaCodec, &pb.MetaRecord{}),
		kindOf(environmentCodec, &pb.EnvironmentRecord{}),
		kindOf(deploymentCodec, &pb.DeploymentRecord{}),
		kindOf(activationCodec, &pb.ActivationRecord{}),
		kindOf(bundleCodec, &pb.BundleRecord{}),
		kindOf(uploadCodec, &pb.UploadRecord{}),
		kindOf(nodeCodec, &pb.NodeRecord{}),
		kindOf(holdCodec, &pb.HoldRecord{}),
		kindOf(requestCodec, &pb.RequestRecord{}),
		kindOf(auditCodec, &pb.AuditEntryRecord{}),
		kindOf(tokenCodec, &pb.TokenRecord{}),
	}
}

func kindOf[T any](c codec[T], schema proto.Message) recordKind {
	return recordKind{
		name:    reflect.TypeFor[T]().Name(),
		survive: func(t *rapid.T) { checkSurvives(t, c, schema) },
		schema:  func(t *testing.T) { checkSchema(t, c, schema) },
		again: func(body []byte) ([]byte, error) {
			record, err := c.decode(body)
			if err != nil {
				return nil, err
			}
			return c.encode(record), nil
		},
	}
}

// Every field of every record survives, and equal records are encoded equally
// (I11): a field that is added and forgotten in a codec fails here.
func TestRecordsSurvive(t *testing.T) {
	for _, kind := range recordKinds() {
		t.Run(kind.name, func(t *testing.T) { rapid.Check(t, kind.survive) })
	}
}

func checkSurvives[T any](t *rapid.T, c codec[T], schema proto.Message) {
	record := filled[T](drawn{t})
	encoded := c.encode(record)
	got, err := c.decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	if !bytes.Equal(c.encode(got), encoded) {
		t.Fatal("an equal record is encoded otherwise")
	}
	message := schema.ProtoReflect().New().Interface()
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(encoded, message); err != nil {
		t.Fatalf("it is no protobuf message: %v", err)
	}
	canonical, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(canonical, encoded) {
		t.Fatalf("the schema does not describe what was encoded:\n%x\n%x", encoded, canonical)
	}
}

// The schema names each field as the record does, and holds the same value: two
// fields that were taken for each other fail here.
func TestSchemaNamesFields(t *testing.T) {
	for _, kind := range recordKinds() {
		t.Run(kind.name, kind.schema)
	}
}

func checkSchema[T any](t *testing.T, c codec[T], schema proto.Message) {
	record := filled[T](&counted{})
	message := schema.ProtoReflect().New()
	if err := proto.Unmarshal(c.encode(record), message.Interface()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plainRecord(reflect.ValueOf(record)), plainMessage(message)); diff != "" {
		t.Error(diff)
	}
}

// plainRecord and plainMessage make the same of a record and of its message.
func plainRecord(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return plainRecord(v.Elem())
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			fields[strings.ToLower(v.Type().Field(i).Name)] = plainRecord(v.Field(i))
		}
		return fields
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, plainRecord(v.Index(i)))
		}
		return list
	case reflect.Map:
		return v.Interface()
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int64:
		return uint64(v.Int())
	default:
		return v.Uint()
	}
}

func plainMessage(m protoreflect.Message) any {
	fields := map[string]any{}
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		fields[strings.ReplaceAll(string(f.Name()), "_", "")] = plainField(f, m.Get(f))
	}
	return fields
}

func plainField(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch {
	case f.IsMap():
		m := map[string]string{}
		v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			m[key.String()] = value.String()
			return true
		})
		return m
	case f.IsList():
		list := []any{}
		for i := range v.List().Len() {
			list = append(list, plainValue(v.List().Get(i)))
		}
		return list
	default:
		return plainValue(v)
	}
}

func plainValue(v protoreflect.Value) any {
	switch have := v.Interface().(type) {
	case protoreflect.Message:
		return plainMessage(have)
	case []byte:
		return string(have)
	case int64:
		return uint64(have)
	case uint32:
		return uint64(have)
	case protoreflect.EnumNumber:
		return uint64(have)
	default:
		return have
	}
}

// What the state hash covers of a content is described by the schema, too.
func TestKeysAreDescribed(t *testing.T) {
	b, u := filled[Bundle](&counted{}), filled[Upload](&counted{})
	var sizes []uint64
	for _, chunk := range u.Chunks {
		sizes = append(sizes, uint64(len(chunk)))
	}
	tests := []struct {
		encoded   []byte
		got, want proto.Message
	}{
		{appendBundleKey(nil, b), &pb.BundleKey{}, &pb.BundleKey{
			Digest: b.Digest, CompressedSize: uint64(len(b.Compressed)), RawSize: b.RawSize,
			Term: b.Term, StoredAt: b.StoredAt, Refs: b.Refs,
		}},
		{appendUploadKey(nil, u), &pb.UploadKey{}, &pb.UploadKey{
			Id: u.ID, Digest: u.Digest, Term: u.Term, Total: u.Total, RawSize: u.RawSize, ChunkSizes: sizes,
		}},
	}
	for _, test := range tests {
		if err := proto.Unmarshal(test.encoded, test.got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(test.got, test.want) {
			t.Errorf("the key is %v, want %v", test.got, test.want)
		}
	}
}

// The numbers of the schema's enumerations mean what the records' do.
func TestEnumerationsAgree(t *testing.T) {
	tests := map[protoreflect.EnumDescriptor][]string{
		pb.RecordedState(0).Descriptor():  stateNames[:],
		pb.RecordedPhase(0).Descriptor():  phaseNames[:],
		pb.RecordedHealth(0).Descriptor(): healthNames[:],
		pb.RecordedRisk(0).Descriptor():   riskNames[:],
		pb.RecordedKind(0).Descriptor():   kindNames[:],
		pb.RecordedAnswer(0).Descriptor(): {AnswerNone: "", AnswerYes: "yes", AnswerNo: "no"},
	}
	for enum, names := range tests {
		if enum.Values().Len() != len(names) {
			t.Errorf("%s has %d values, want %d", enum.Name(), enum.Values().Len(), len(names))
			continue
		}
		for number, name := range names[1:] {
			value := enum.Values().ByNumber(protoreflect.EnumNumber(number + 1))
			if value == nil || !strings.HasSuffix(strings.ReplaceAll(string(value.Name()), "_", ""), strings.ToUpper(name)) {
				t.Errorf("%s: %d is %v, want %s", enum.Name(), number+1, value, name)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	number := func(n protowire.Number, v uint64) []byte { return appendVarint(nil, n, v) }
	message := func(n protowire.Number, content ...byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), content)
	}
	deployment := func(b []byte) error { _, err := deploymentCodec.decode(b); return err }
	environment := func(b []byte) error { _, err := environmentCodec.decode(b); return err }
	request := func(b []byte) error { _, err := requestCodec.decode(b); return err }
	settings := func(b []byte) error { _, err := settingsCodec.decode(b); return err }
	tests := map[string]struct {
		decode func([]byte) error
		body   []byte
	}{
		"a field that is not known":     {deployment, number(4000, 1)},
		"fields out of order":           {deployment, append(message(3, 'a'), message(1, 'b')...)},
		"text where a number belongs":   {deployment, message(2, 'a')},
		"a wire type not in use":        {deployment, protowire.AppendFixed32(protowire.AppendTag(nil, 2, protowire.Fixed32Type), 1)},
		"a tag that is cut off":         {deployment, []byte{0x80}},
		"a text that is cut off":        {deployment, []byte{0x0a, 5, 'a'}},
		"a number that is cut off":      {deployment, []byte{0x10, 0x80}},
		"a state without a name":        {deployment, number(19, uint64(len(stateNames)))},
		"a number that is too large":    {deployment, number(12, 1<<32)},
		"a flag that is two":            {deployment, number(17, 2)},
		"a hash of three bytes":         {request, message(5, 1, 2, 3)},
		"damage inside a record":        {deployment, message(30, 0xff)},
		"damage inside an optional one": {deployment, message(34, 0xff)},
		"damage inside an inline one":   {environment, message(24, 0xff)},
		"damage inside a map":           {settings, message(11, 0xff)},
		"too few buckets":               {environment, message(24, message(6, message(1, 1, 2)...)...)},
		"too many buckets":              {environment, message(24, message(6, message(1, make([]byte, 13)...)...)...)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.decode(test.body); !errors.Is(err, ErrSnapshotDamaged) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// Whatever bytes are taken for a record, encoding it is stable from then on.
func FuzzRecord(f *testing.F) {
	kinds := recordKinds()
	f.Add(uint8(0), metaCodec.encode(filled[Meta](&counted{})))
	f.Add(uint8(1), environmentCodec.encode(filled[Environment](&counted{})))
	f.Add(uint8(2), deploymentCodec.encode(filled[Deployment](&counted{})))
	f.Add(uint8(5), uploadCodec.encode(filled[Upload](&counted{})))
	f.Add(uint8(6), nodeCodec.encode(filled[Node](&counted{})))
	f.Add(uint8(8), requestCodec.encode(filled[Request](&counted{})))
	f.Add(uint8(9), auditCodec.encode(filled[AuditRecord](&counted{})))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		kind := kinds[int(which)%len(kinds)]
		first, err := kind.again(body)
		if err != nil {
			return
		}
		second, err := kind.again(first)
		if err != nil {
			t.Fatalf("what was encoded cannot be decoded: %v", err)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("%x was encoded as %x", first, second)
		}
	})
}

func BenchmarkEncodeDeployment(b *testing.B) {
	d := filled[Deployment](&counted{})
	b.ReportAllocs()
	for b.Loop() {
		deploymentCodec.encode(d)
	}
}

func BenchmarkEncodeEnvironment(b *testing.B) {
	e := filled[Environment](&counted{})
	b.ReportAllocs()
	for b.Loop() {
		environmentCodec.encode(e)
	}
}
