package clientv3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestWatchFromARevisionTellsHistoryAndThenThePresent(t *testing.T) {
	client, prefix, ctx := setup(t)
	first, err := client.Put(ctx, prefix+"a", "1")
	must(t, err)
	_, err = client.Txn(ctx).Then(clientv3.OpPut(prefix+"a", "2"), clientv3.OpPut(prefix+"b", "1")).Commit()
	must(t, err)
	rev := first.Header.Revision
	watch := client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(rev), clientv3.WithPrevKV())
	_, err = client.Delete(ctx, prefix+"a")
	must(t, err)
	var seen []string
	for len(seen) < 4 {
		for _, event := range next(t, watch).Events {
			former := "-"
			if event.PrevKv != nil {
				former = string(event.PrevKv.Value)
			}
			seen = append(seen, fmt.Sprintf("%s %s +%d %s", event.Type, strings.TrimPrefix(string(event.Kv.Key), prefix), event.Kv.ModRevision-rev, former))
		}
	}
	equal(t, "events", strings.Join(seen, "; "), "PUT a +0 -; PUT a +1 1; PUT b +1 -; DELETE a +2 2")
}

func TestWatchesOverReconnectsMissNothingAndRepeatNothing(t *testing.T) {
	writer, prefix, ctx := setup(t)
	way := newCutter(t)
	reader := connect(t, way.address())
	ready := reader.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-ready
	const count = 300
	var want []string
	for i := range count {
		put, err := writer.Put(ctx, fmt.Sprintf("%s%03d", prefix, i), "v")
		must(t, err)
		want = append(want, fmt.Sprintf("PUT %s%03d@%d", prefix, i, put.Header.Revision))
		if i%60 == 30 {
			way.cut()
		}
		if i == 150 {
			way.refuse(true)
		}
		if i == 200 {
			way.refuse(false)
		}
	}
	equal(t, "events", strings.Join(collect(t, ready, count), "\n"), strings.Join(want, "\n"))
}

func TestWatchesGoOnOverAKillOfTheServer(t *testing.T) {
	client, prefix, ctx := setup(t)
	watch := client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-watch
	var want []string
	for i := range 40 {
		put, err := client.Put(ctx, fmt.Sprintf("%s%02d", prefix, i), "v")
		must(t, err)
		want = append(want, fmt.Sprintf("PUT %s%02d@%d", prefix, i, put.Header.Revision))
		if i == 20 {
			restartServer(t)
		}
	}
	equal(t, "events", strings.Join(collect(t, watch, 40), "\n"), strings.Join(want, "\n"))
}

func TestAWatchBelowTheCompactedRevisionIsCanceledWithIt(t *testing.T) {
	client, prefix, ctx := setup(t)
	var last int64
	for i := range 5 {
		put, err := client.Put(ctx, prefix+"k", fmt.Sprint(i))
		must(t, err)
		last = put.Header.Revision
	}
	_, err := client.Compact(ctx, last)
	must(t, err)
	response := <-client.Watch(ctx, prefix+"k", clientv3.WithRev(last-3))
	equal(t, "canceled", response.Canceled, true)
	equal(t, "compacted", response.CompactRevision, last)
	if !errors.Is(response.Err(), rpctypes.ErrCompacted) {
		t.Fatalf("got %v", response.Err())
	}
	resumed := next(t, client.Watch(ctx, prefix+"k", clientv3.WithRev(last)))
	equal(t, "the compacted revision itself is told", resumed.Events[0].Kv.ModRevision, last)
}

func TestCompactionWhileAWatcherIsAway(t *testing.T) {
	writer, prefix, ctx := setup(t)
	way := newCutter(t)
	reader := connect(t, way.address())
	watch := reader.Watch(ctx, prefix+"k", clientv3.WithCreatedNotify())
	<-watch
	_, err := writer.Put(ctx, prefix+"k", "seen")
	must(t, err)
	next(t, watch)
	way.refuse(true)
	var last int64
	for i := range 5 {
		put, err := writer.Put(ctx, prefix+"k", fmt.Sprint(i))
		must(t, err)
		last = put.Header.Revision
	}
	_, err = writer.Compact(ctx, last)
	must(t, err)
	way.refuse(false)
	for response := range watch {
		if response.CompactRevision != 0 {
			equal(t, "compacted", response.CompactRevision, last)
			return
		}
		if len(response.Events) > 0 {
			t.Fatalf("events out of a compacted past: %v", response.Events)
		}
	}
	t.Fatal("the watch ended without a word")
}

func TestFiltersFragmentsAndPrefixes(t *testing.T) {
	client, prefix, ctx := setup(t)
	start, err := client.Put(ctx, prefix+"0", "v")
	must(t, err)
	rev := start.Header.Revision
	deletions := client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(rev), clientv3.WithFilterPut())
	_, err = client.Delete(ctx, prefix+"0")
	must(t, err)
	equal(t, "only the deletion", next(t, deletions).Events[0].Type, clientv3.EventTypeDelete)
	value := strings.Repeat("x", 300*1024)
	for i := range 12 {
		_, err = client.Put(ctx, fmt.Sprintf("%sbig%02d", prefix, i), value)
		must(t, err)
	}
	seen := collect(t, client.Watch(ctx, prefix+"big", clientv3.WithPrefix(), clientv3.WithRev(rev), clientv3.WithFragment()), 12)
	equal(t, "events in fragments", len(seen), 12)
	_, err = client.Delete(ctx, prefix, clientv3.WithPrefix())
	must(t, err)
}

func TestProgress(t *testing.T) {
	client, prefix, ctx := setup(t)
	watch := client.Watch(ctx, prefix+"k", clientv3.WithCreatedNotify())
	<-watch
	put, err := client.Put(ctx, prefix+"other", "v")
	must(t, err)
	for {
		must(t, client.RequestProgress(ctx))
		select {
		case response := <-watch:
			equal(t, "progress", response.IsProgressNotify(), true)
			if response.Header.Revision < put.Header.Revision {
				t.Fatalf("progress %d is behind %d", response.Header.Revision, put.Header.Revision)
			}
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func TestAThousandWatchersOnOneStream(t *testing.T) {
	client, prefix, ctx := setup(t)
	var watches []clientv3.WatchChan
	for i := range 1000 {
		watches = append(watches, client.Watch(ctx, fmt.Sprintf("%s%d", prefix, i%10), clientv3.WithCreatedNotify()))
	}
	for _, watch := range watches {
		<-watch
	}
	for i := range 10 {
		_, err := client.Put(ctx, fmt.Sprintf("%s%d", prefix, i), "v")
		must(t, err)
	}
	for i, watch := range watches {
		equal(t, "key", string(next(t, watch).Events[0].Kv.Key), fmt.Sprintf("%s%d", prefix, i%10))
	}
}

func TestACanceledWatchIsForgotten(t *testing.T) {
	client, prefix, ctx := setup(t)
	short, cancel := context.WithCancel(ctx)
	watch := client.Watch(short, prefix+"k", clientv3.WithCreatedNotify())
	<-watch
	cancel()
	eventually(t, "the channel is closed", func() bool {
		select {
		case _, open := <-watch:
			return !open
		default:
			return false
		}
	})
	other := client.Watch(ctx, prefix+"k", clientv3.WithCreatedNotify())
	<-other
	_, err := client.Put(ctx, prefix+"k", "v")
	must(t, err)
	equal(t, "told", len(next(t, other).Events), 1)
}
