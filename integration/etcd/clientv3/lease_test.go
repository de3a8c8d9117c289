package clientv3

import (
	"fmt"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestALeaseTakesItsKeysAlong(t *testing.T) {
	client, prefix, ctx := setup(t)
	lease, err := client.Grant(ctx, 1)
	must(t, err)
	equal(t, "raised to the least", lease.TTL, 2)
	for _, name := range []string{"b", "a"} {
		_, err = client.Put(ctx, prefix+name, "v", clientv3.WithLease(lease.ID))
		must(t, err)
	}
	watch := client.Watch(ctx, prefix, clientv3.WithPrefix())
	left, err := client.TimeToLive(ctx, lease.ID, clientv3.WithAttachedKeys())
	must(t, err)
	equal(t, "granted", left.GrantedTTL, 2)
	equal(t, "attached keys", len(left.Keys), 2)
	expiry := next(t, watch)
	equal(t, "deletions at once", len(expiry.Events), 2)
	equal(t, "in order", string(expiry.Events[0].Kv.Key), prefix+"a")
	equal(t, "at one revision", expiry.Events[0].Kv.ModRevision, expiry.Events[1].Kv.ModRevision)
	gone, err := client.TimeToLive(ctx, lease.ID)
	must(t, err)
	equal(t, "time left of a lease that is no more", gone.TTL, -1)
}

func TestKeptAliveLeasesLiveOn(t *testing.T) {
	client, prefix, ctx := setup(t)
	lease, err := client.Grant(ctx, 2)
	must(t, err)
	alive, err := client.KeepAlive(ctx, lease.ID)
	must(t, err)
	_, err = client.Put(ctx, prefix+"k", "v", clientv3.WithLease(lease.ID))
	must(t, err)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		answer, open := <-alive
		if !open {
			t.Fatal("the keepalive ended")
		}
		equal(t, "TTL", answer.TTL, 2)
	}
	got, err := client.Get(ctx, prefix+"k")
	must(t, err)
	equal(t, "key", got.Count, 1)
	_, err = client.Revoke(ctx, lease.ID)
	must(t, err)
	_, err = client.KeepAliveOnce(ctx, lease.ID)
	equal(t, "keepalive of a revoked lease", err, error(rpctypes.ErrLeaseNotFound))
	_, err = client.Revoke(ctx, lease.ID)
	equal(t, "revoke of a revoked lease", err, error(rpctypes.ErrLeaseNotFound))
}

func TestKeepaliveGoesOnOverCutConnectionsAndARestart(t *testing.T) {
	_, prefix, ctx := setup(t)
	way := newCutter(t)
	client := connect(t, way.address())
	lease, err := client.Grant(ctx, 8)
	must(t, err)
	_, err = client.Put(ctx, prefix+"k", "v", clientv3.WithLease(lease.ID))
	must(t, err)
	alive, err := client.KeepAlive(ctx, lease.ID)
	must(t, err)
	for range 4 {
		way.cut()
		if _, open := <-alive; !open {
			t.Fatal("the keepalive ended")
		}
	}
	restartServer(t)
	for range 2 {
		if _, open := <-alive; !open {
			t.Fatal("the keepalive ended after the restart")
		}
	}
	got, err := client.Get(ctx, prefix+"k")
	must(t, err)
	equal(t, "key", got.Count, 1)
}

func TestManyLeasesOnOneStream(t *testing.T) {
	client, prefix, ctx := setup(t)
	var ids []clientv3.LeaseID
	for i := range 200 {
		lease, err := client.Grant(ctx, 60)
		must(t, err)
		_, err = client.Put(ctx, fmt.Sprint(prefix, i), "v", clientv3.WithLease(lease.ID))
		must(t, err)
		ids = append(ids, lease.ID)
	}
	var answers []<-chan *clientv3.LeaseKeepAliveResponse
	for _, id := range ids {
		alive, err := client.KeepAlive(ctx, id)
		must(t, err)
		answers = append(answers, alive)
	}
	for i, alive := range answers {
		answer, open := <-alive
		if !open {
			t.Fatal("the keepalive ended")
		}
		equal(t, "answer is for", answer.ID, ids[i])
	}
	all, err := client.Leases(ctx)
	must(t, err)
	known := map[clientv3.LeaseID]bool{}
	for _, lease := range all.Leases {
		known[lease.ID] = true
	}
	for _, id := range ids {
		if !known[id] {
			t.Fatalf("lease %x is not listed", id)
		}
		_, err = client.Revoke(ctx, id)
		must(t, err)
	}
	got, err := client.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	must(t, err)
	equal(t, "keys left", got.Count, 0)
}
