package clientv3

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/clientv3util"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestPutGetDelete(t *testing.T) {
	client, prefix, ctx := setup(t)
	first, err := client.Put(ctx, prefix+"a", "1")
	must(t, err)
	second, err := client.Put(ctx, prefix+"a", "2", clientv3.WithPrevKV())
	must(t, err)
	equal(t, "revisions apart", second.Header.Revision, first.Header.Revision+1)
	equal(t, "former value", string(second.PrevKv.Value), "1")
	got, err := client.Get(ctx, prefix+"a")
	must(t, err)
	kv := got.Kvs[0]
	equal(t, "value", string(kv.Value), "2")
	equal(t, "version", kv.Version, 2)
	equal(t, "created", kv.CreateRevision, first.Header.Revision)
	equal(t, "modified", kv.ModRevision, second.Header.Revision)
	old, err := client.Get(ctx, prefix+"a", clientv3.WithRev(first.Header.Revision))
	must(t, err)
	equal(t, "old value", string(old.Kvs[0].Value), "1")
	deleted, err := client.Delete(ctx, prefix, clientv3.WithPrefix(), clientv3.WithPrevKV())
	must(t, err)
	equal(t, "deleted", deleted.Deleted, 1)
	equal(t, "deleted value", string(deleted.PrevKvs[0].Value), "2")
	gone, err := client.Get(ctx, prefix+"a")
	must(t, err)
	equal(t, "count", gone.Count, 0)
}

func TestRangesSortLimitAndCount(t *testing.T) {
	client, prefix, ctx := setup(t)
	for i := range 10 {
		_, err := client.Put(ctx, fmt.Sprintf("%s%d", prefix, (i*7)%10), fmt.Sprint(i))
		must(t, err)
	}
	names := func(options ...clientv3.OpOption) string {
		got, err := client.Get(ctx, prefix, append(options, clientv3.WithPrefix())...)
		must(t, err)
		var parts []string
		for _, kv := range got.Kvs {
			parts = append(parts, strings.TrimPrefix(string(kv.Key), prefix))
		}
		return fmt.Sprintf("%s of %d more=%v", strings.Join(parts, ""), got.Count, got.More)
	}
	equal(t, "by key", names(), "0123456789 of 10 more=false")
	equal(t, "three", names(clientv3.WithLimit(3)), "012 of 10 more=true")
	equal(t, "by age", names(clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend)), "0741852963 of 10 more=false")
	equal(t, "youngest", names(clientv3.WithLastRev()...), "3 of 10 more=true")
	equal(t, "by value, last first", names(clientv3.WithSort(clientv3.SortByValue, clientv3.SortDescend), clientv3.WithLimit(2)), "36 of 10 more=true")
	equal(t, "count", names(clientv3.WithCountOnly()), " of 10 more=false")
	keys, err := client.Get(ctx, prefix+"5", clientv3.WithFromKey(), clientv3.WithKeysOnly(), clientv3.WithLimit(2))
	must(t, err)
	equal(t, "keys only", fmt.Sprintf("%s%q", keys.Kvs[0].Key, keys.Kvs[0].Value), prefix+`5""`)
}

func TestTransactions(t *testing.T) {
	client, prefix, ctx := setup(t)
	key := prefix + "k"
	create := func(value string) *clientv3.TxnResponse {
		answer, err := client.Txn(ctx).If(clientv3util.KeyMissing(key)).Then(clientv3.OpPut(key, value)).Else(clientv3.OpGet(key)).Commit()
		must(t, err)
		return answer
	}
	if !create("1").Succeeded {
		t.Fatal("the key was there already")
	}
	second := create("2")
	equal(t, "second creation", second.Succeeded, false)
	equal(t, "what is there", string(second.Responses[0].GetResponseRange().Kvs[0].Value), "1")
	nested, err := client.Txn(ctx).If(clientv3.Compare(clientv3.Value(key), "=", "1")).Then(
		clientv3.OpPut(key, "3"),
		clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.Value(key), "=", "1")}, []clientv3.Op{clientv3.OpGet(key)}, nil),
	).Commit()
	must(t, err)
	inner := nested.Responses[1].GetResponseTxn()
	equal(t, "the inner compare sees the state before", inner.Succeeded, true)
	equal(t, "the inner read sees the put", string(inner.Responses[0].GetResponseRange().Kvs[0].Value), "3")
	prefixed := clientv3.Compare(clientv3.ModRevision(prefix), ">", 0).WithPrefix()
	all, err := client.Txn(ctx).If(prefixed).Then(clientv3.OpDelete(prefix, clientv3.WithPrefix())).Commit()
	must(t, err)
	equal(t, "deleted", all.Responses[0].GetResponseDeleteRange().Deleted, 1)
}

func TestErrorsAreTheOnesClientsMatch(t *testing.T) {
	client, prefix, ctx := setup(t)
	check := func(what string, err error, want error) {
		t.Helper()
		var known rpctypes.EtcdError
		if !errors.As(err, &known) || !errors.Is(err, want) {
			t.Fatalf("%s: got %v, want %v", what, err, want)
		}
	}
	_, err := client.Put(ctx, "", "v")
	check("empty key", err, rpctypes.ErrEmptyKey)
	_, err = client.Put(ctx, prefix+"k", "v", clientv3.WithLease(0x7777))
	check("unknown lease", err, rpctypes.ErrLeaseNotFound)
	_, err = client.Put(ctx, prefix+"k", "", clientv3.WithIgnoreValue())
	check("ignored value of nothing", err, rpctypes.ErrKeyNotFound)
	_, err = client.Get(ctx, prefix, clientv3.WithRev(1<<60))
	check("future", err, rpctypes.ErrFutureRev)
	_, err = client.Txn(ctx).Then(clientv3.OpPut(prefix+"d", "1"), clientv3.OpPut(prefix+"d", "2")).Commit()
	check("same key twice", err, rpctypes.ErrDuplicateKey)
	var many []clientv3.Op
	for i := range 129 {
		many = append(many, clientv3.OpPut(fmt.Sprint(prefix, i), ""))
	}
	_, err = client.Txn(ctx).Then(many...).Commit()
	check("129 operations", err, rpctypes.ErrTooManyOps)
	_, err = client.Put(ctx, prefix+"big", strings.Repeat("x", 1600*1024))
	check("too large", err, rpctypes.ErrRequestTooLarge)
	_, err = client.Put(ctx, prefix+"huge", strings.Repeat("x", 3<<20))
	equal(t, "past what the client sends", status.Code(err), codes.ResourceExhausted)
	put, err := client.Put(ctx, prefix+"c", "1")
	must(t, err)
	_, err = client.Put(ctx, prefix+"c", "2")
	must(t, err)
	_, err = client.Compact(ctx, put.Header.Revision+1, clientv3.WithCompactPhysical())
	must(t, err)
	_, err = client.Get(ctx, prefix+"c", clientv3.WithRev(put.Header.Revision))
	check("compacted", err, rpctypes.ErrCompacted)
	_, err = client.Compact(ctx, put.Header.Revision)
	check("compacted again", err, rpctypes.ErrCompacted)
	_, err = client.MemberRemove(ctx, 0x1234)
	check("unknown member", err, rpctypes.ErrMemberNotFound)
	_, err = client.UserGet(ctx, "nobody")
	check("unknown user", err, rpctypes.ErrUserNotFound)
}

func TestALargeAnswerComesWhole(t *testing.T) {
	client, prefix, ctx := setup(t)
	value := strings.Repeat("v", 1<<20)
	for i := range 20 {
		_, err := client.Put(ctx, fmt.Sprintf("%s%02d", prefix, i), value)
		must(t, err)
	}
	got, err := client.Get(ctx, prefix, clientv3.WithPrefix())
	must(t, err)
	equal(t, "pairs", len(got.Kvs), 20)
	for _, kv := range got.Kvs {
		equal(t, "bytes", len(kv.Value), len(value))
	}
	_, err = client.Delete(ctx, prefix, clientv3.WithPrefix())
	must(t, err)
}

func TestAcknowledgedWritesOutliveAKill(t *testing.T) {
	client, prefix, ctx := setup(t)
	var last int64
	for i := range 50 {
		put, err := client.Put(ctx, fmt.Sprintf("%s%02d", prefix, i), "v")
		must(t, err)
		last = put.Header.Revision
	}
	restartServer(t)
	got, err := client.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	must(t, err)
	equal(t, "pairs after the restart", got.Count, 50)
	if got.Header.Revision < last {
		t.Fatalf("revision went from %d back to %d", last, got.Header.Revision)
	}
}
