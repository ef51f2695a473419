/** Which page is shown: the login without a session, else the one that the address names. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { Route, Router, Switch } from 'wouter';
import { basePath } from './api/base.js';
import { LiveRunsProvider } from './api/live-runs-context.js';
import { useSession } from './api/session.js';
import { Layout } from './parts/layout.js';
import { Empty } from './parts/notices.js';
import { ArchivesPage } from './pages/archives.js';
import { AuditPage } from './pages/audit.js';
import { ComparePage } from './pages/compare.js';
import { HistoryPage } from './pages/history.js';
import { HostPage } from './pages/host.js';
import { EnrollPage } from './pages/hosts/enroll.js';
import { HostSettingsPage } from './pages/hosts/host-settings.js';
import { HostsPage } from './pages/hosts.js';
import { NewHostPage } from './pages/hosts/new-host.js';
import { TrashPage } from './pages/trash.js';
import { PageHeading } from './parts/page-heading.js';
import { LoginPage } from './pages/login.js';
import { OverviewPage } from './pages/overview.js';
import { RunPage } from './pages/run.js';
import { SettingsPage } from './pages/settings.js';
import { SnapshotPage } from './pages/snapshot.js';

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
            <Route path="/new-host" component={NewHostPage} />
            <Route path="/trash" component={TrashPage} />
            <Route path="/hosts/:host">{({ host }) => <HostPage name={host} />}</Route>
            <Route path="/archives" component={ArchivesPage} />
            <Route path="/audit" component={AuditPage} />
            <Route path="/settings" component={SettingsPage} />
            <Route path="/runs/:id">{({ id }) => <RunPage id={id} />}</Route>
            <Route>
              <PageHeading title="Nothing here" />
              <Empty title="There is no such page.">The overview has links to all that there is.</Empty>
            </Route>
          </Switch>
        </Layout>
      </LiveRunsProvider>
    </Router>
  );
}
