/** Which page is shown: the login without a session, else the one that the address names. */
import { useQueryClient } from '@tanstack/react-query';
import { Suspense, useEffect, useMemo } from 'react';
import { Route, Router, Switch } from 'wouter';
import { basePath } from './api/base.js';
import { LiveRunsProvider } from './api/live-runs-context.js';
import { useSession } from './api/session.js';
import { Layout } from './parts/layout.js';
import { Empty, Waiting } from './parts/notices.js';
import { lazyPage } from './parts/lazy-page.js';
import { PageHeading } from './parts/page-heading.js';
import { LoginPage } from './pages/login.js';
import { OverviewPage } from './pages/overview.js';

const ArchivesPage = lazyPage(async () => (await import('./pages/archives.js')).ArchivesPage);
const AuditPage = lazyPage(async () => (await import('./pages/audit.js')).AuditPage);
const ComparePage = lazyPage(async () => (await import('./pages/compare.js')).ComparePage);
const EnrollPage = lazyPage(async () => (await import('./pages/hosts/enroll.js')).EnrollPage);
const HistoryPage = lazyPage(async () => (await import('./pages/history.js')).HistoryPage);
const HostPage = lazyPage(async () => (await import('./pages/host.js')).HostPage);
const HostSettingsPage = lazyPage(
  async () => (await import('./pages/hosts/host-settings.js')).HostSettingsPage,
);
const HostsPage = lazyPage(async () => (await import('./pages/hosts.js')).HostsPage);
const NewHostPage = lazyPage(async () => (await import('./pages/hosts/new-host.js')).NewHostPage);
const RunPage = lazyPage(async () => (await import('./pages/run.js')).RunPage);
const SettingsPage = lazyPage(async () => (await import('./pages/settings.js')).SettingsPage);
const SnapshotPage = lazyPage(async () => (await import('./pages/snapshot.js')).SnapshotPage);
const TrashPage = lazyPage(async () => (await import('./pages/trash.js')).TrashPage);

export function App() {
  const { state } = useSession();
  const queries = useQueryClient();
  useEffect(() => {
    // What one user saw is not for the next.
    if (state === 'out') queries.clear();
  }, [state, queries]);
  const base = useMemo(() => basePath.replace(/\/$/, ''), []);
  if (state === 'unknown') return null;
  if (state === 'out') return <LoginPage />;
  return (
    <Router base={base}>
      <LiveRunsProvider>
        <Layout>
          <Suspense fallback={<Waiting rows={8} />}>
            <Switch>
              <Route path="/" component={OverviewPage} />
              <Route path="/hosts/:host/snapshots/:name">
                {({ host, name }) => <SnapshotPage key={`${host}/${name}`} host={host} name={name} />}
              </Route>
              <Route path="/hosts/:host/history">{({ host }) => <HistoryPage host={host} />}</Route>
              <Route path="/hosts/:host/compare">{({ host }) => <ComparePage host={host} />}</Route>
              <Route path="/hosts/:host/settings">
                {({ host }) => <HostSettingsPage key={host} name={host} />}
              </Route>
              <Route path="/hosts/:host/enroll">{({ host }) => <EnrollPage key={host} host={host} />}</Route>
              <Route path="/hosts">
                <HostsPage />
              </Route>
              <Route path="/new-host">
                <NewHostPage />
              </Route>
              <Route path="/trash">
                <TrashPage />
              </Route>
              <Route path="/hosts/:host">{({ host }) => <HostPage name={host} />}</Route>
              <Route path="/archives">
                <ArchivesPage />
              </Route>
              <Route path="/audit">
                <AuditPage />
              </Route>
              <Route path="/settings">
                <SettingsPage />
              </Route>
              <Route path="/runs/:id">{({ id }) => <RunPage id={id} />}</Route>
              <Route>
                <PageHeading title="Nothing here" />
                <Empty title="There is no such page.">The overview has links to all that there is.</Empty>
              </Route>
            </Switch>
          </Suspense>
        </Layout>
      </LiveRunsProvider>
    </Router>
  );
}
