package clientv3

import (
	"fmt"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/client/v3/leasing"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/namespace"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"go.etcd.io/etcd/client/v3/ordering"
)

func TestNamespaceHidesItsPrefix(t *testing.T) {
	client, prefix, ctx := setup(t)
	inner := connect(t, endpoint(t))
	inner.KV = namespace.NewKV(inner.KV, prefix)
	inner.Watcher = namespace.NewWatcher(inner.Watcher, prefix)
	inner.Lease = namespace.NewLease(inner.Lease, prefix)
	watch := inner.Watch(ctx, "a", clientv3.WithCreatedNotify())
	<-watch
	lease, err := inner.Grant(ctx, 60)
	must(t, err)
	_, err = inner.Put(ctx, "a", "v", clientv3.WithLease(lease.ID))
	must(t, err)
	equal(t, "event", string(next(t, watch).Events[0].Kv.Key), "a")
	attached, err := inner.TimeToLive(ctx, lease.ID, clientv3.WithAttachedKeys())
	must(t, err)
	equal(t, "attached", string(attached.Keys[0]), "a")
	outer, err := client.Get(ctx, prefix+"a")
	must(t, err)
	equal(t, "outside", outer.Count, 1)
	all, err := inner.Get(ctx, "", clientv3.WithFromKey())
	must(t, err)
	equal(t, "everything inside", all.Count, 1)
}

func TestMirrorCopiesAndFollows(t *testing.T) {
	client, prefix, ctx := setup(t)
	for i := range 5 {
		_, err := client.Put(ctx, fmt.Sprint(prefix, i), "v")
		must(t, err)
	}
	syncer := mirror.NewSyncer(client, prefix, 0)
	base, failures := syncer.SyncBase(ctx)
	count := 0
	for answer := range base {
		count += len(answer.Kvs)
	}
	must(t, <-failures)
	equal(t, "copied", count, 5)
	updates := syncer.SyncUpdates(ctx)
	_, err := client.Put(ctx, prefix+"new", "v")
	must(t, err)
	equal(t, "followed", string(next(t, updates).Events[0].Kv.Key), prefix+"new")
}

func TestOrderingNeverGoesBack(t *testing.T) {
	client, prefix, ctx := setup(t)
	violations := 0
	ordered := ordering.NewKV(client.KV, func(clientv3.Op, clientv3.OpResponse, int64) error {
		violations++
		return ordering.ErrNoGreaterRev
	})
	for i := range 20 {
		_, err := client.Put(ctx, prefix+"k", fmt.Sprint(i))
		must(t, err)
		got, err := ordered.Get(ctx, prefix+"k", clientv3.WithSerializable())
		must(t, err)
		equal(t, "value", string(got.Kvs[0].Value), fmt.Sprint(i))
		_, err = ordered.Txn(ctx).Then(clientv3.OpGet(prefix + "k")).Commit()
		must(t, err)
	}
	equal(t, "violations", violations, 0)
}

func TestLeasingServesOwnedKeys(t *testing.T) {
	client, prefix, ctx := setup(t)
	owner, release, err := leasing.NewKV(client, prefix+"leases/")
	must(t, err)
	defer release()
	_, err = client.Put(ctx, prefix+"k", "1")
	must(t, err)
	for _, value := range []string{"1", "2", "3"} {
		_, err = owner.Put(ctx, prefix+"k", value)
		must(t, err)
		got, err := owner.Get(ctx, prefix+"k")
		must(t, err)
		equal(t, "value", string(got.Kvs[0].Value), value)
	}
	other, releaseOther, err := leasing.NewKV(connect(t, endpoint(t)), prefix+"leases/")
	must(t, err)
	defer releaseOther()
	_, err = other.Put(ctx, prefix+"k", "4")
	must(t, err)
	got, err := owner.Get(ctx, prefix+"k")
	must(t, err)
	equal(t, "value", string(got.Kvs[0].Value), "4")
}

func TestNamingEndpoints(t *testing.T) {
	client, prefix, ctx := setup(t)
	manager, err := endpoints.NewManager(client, prefix+"service")
	must(t, err)
	updates, err := manager.NewWatchChannel(ctx)
	must(t, err)
	must(t, manager.AddEndpoint(ctx, prefix+"service/one", endpoints.Endpoint{Addr: "127.0.0.1:1"}))
	equal(t, "added", (<-updates)[0].Endpoint.Addr, "127.0.0.1:1")
	must(t, manager.DeleteEndpoint(ctx, prefix+"service/one"))
	equal(t, "deleted", (<-updates)[0].Op, endpoints.Delete)
}

func TestKubernetesInterface(t *testing.T) {
	_, prefix, ctx := setup(t)
	client, err := kubernetes.New(clientv3.Config{Endpoints: []string{endpoint(t)}})
	must(t, err)
	defer client.Close()
	k := client.Kubernetes
	created, err := k.OptimisticPut(ctx, prefix+"pod", []byte("1"), 0, kubernetes.PutOptions{})
	must(t, err)
	equal(t, "created", created.Succeeded, true)
	again, err := k.OptimisticPut(ctx, prefix+"pod", []byte("2"), 0, kubernetes.PutOptions{GetOnFailure: true})
	must(t, err)
	equal(t, "created again", again.Succeeded, false)
	equal(t, "what is there", string(again.KV.Value), "1")
	updated, err := k.OptimisticPut(ctx, prefix+"pod", []byte("3"), created.Revision, kubernetes.PutOptions{})
	must(t, err)
	equal(t, "updated", updated.Succeeded, true)
	listed, err := k.List(ctx, prefix, kubernetes.ListOptions{Limit: 1})
	must(t, err)
	equal(t, "listed", listed.Count, 1)
	late, err := k.OptimisticDelete(ctx, prefix+"pod", created.Revision, kubernetes.DeleteOptions{GetOnFailure: true})
	must(t, err)
	equal(t, "deleted at an old revision", late.Succeeded, false)
	gone, err := k.OptimisticDelete(ctx, prefix+"pod", updated.Revision, kubernetes.DeleteOptions{})
	must(t, err)
	equal(t, "deleted", gone.Succeeded, true)
}
