package admin

import (
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// access is what a method asks of its caller.
type access struct {
	// public: nobody has to say who they are.
	public bool
	// node: the caller has to be a node of the cluster.
	node bool
	// least is the lowest role that may call it.
	least Role
	// everywhere: a role in one environment will not do.
	everywhere bool
}

// methods lists every method of the server. One that is not here is denied.
var methods = map[string]access{
	pb.DeploymentService_ListDeployments_FullMethodName:    {least: Viewer},
	pb.DeploymentService_GetDeployment_FullMethodName:      {least: Viewer},
	pb.DeploymentService_WatchDeployments_FullMethodName:   {least: Viewer},
	pb.DeploymentService_PlanDeployment_FullMethodName:     {least: Viewer},
	pb.DeploymentService_CancelDeployment_FullMethodName:   {least: Deployer},
	pb.DeploymentService_RetryDeployment_FullMethodName:    {least: Deployer},
	pb.DeploymentService_ApproveDeployment_FullMethodName:  {least: Approver},
	pb.DeploymentService_RejectDeployment_FullMethodName:   {least: Approver},
	pb.DeploymentService_RollbackDeployment_FullMethodName: {least: Approver},

	pb.EnvironmentService_ListEnvironments_FullMethodName:  {least: Viewer},
	pb.EnvironmentService_GetEnvironment_FullMethodName:    {least: Viewer},
	pb.EnvironmentService_ListActivations_FullMethodName:   {least: Viewer},
	pb.EnvironmentService_CheckDrift_FullMethodName:        {least: Viewer},
	pb.EnvironmentService_WatchEnvironments_FullMethodName: {least: Viewer},
	pb.EnvironmentService_SyncEnvironment_FullMethodName:   {least: Deployer},
	pb.EnvironmentService_PauseEnvironment_FullMethodName:  {least: Deployer},
	pb.EnvironmentService_ResumeEnvironment_FullMethodName: {least: Deployer},
	pb.EnvironmentService_ImportEnvironment_FullMethodName: {least: Admin},

	pb.ClusterService_GetStatus_FullMethodName:          {least: Viewer},
	pb.ClusterService_ListMembers_FullMethodName:        {least: Viewer},
	pb.ClusterService_AddServer_FullMethodName:          {least: Admin, everywhere: true},
	pb.ClusterService_RemoveServer_FullMethodName:       {least: Admin, everywhere: true},
	pb.ClusterService_SaveSnapshot_FullMethodName:       {least: Admin, everywhere: true},
	pb.ClusterService_RestoreSnapshot_FullMethodName:    {least: Admin, everywhere: true},
	pb.ClusterService_TransferLeadership_FullMethodName: {least: Admin, everywhere: true},
	pb.ClusterService_ChangeGossipKey_FullMethodName:    {least: Admin, everywhere: true},
	pb.ClusterService_ListGossipKeys_FullMethodName:     {least: Admin, everywhere: true},

	pb.AuditService_ListAuditRecords_FullMethodName: {least: Viewer},
	pb.AuditService_VerifyAuditChain_FullMethodName: {least: Viewer},

	pb.TokenService_CreateToken_FullMethodName: {least: Admin, everywhere: true},
	pb.TokenService_ListTokens_FullMethodName:  {least: Admin, everywhere: true},
	pb.TokenService_RevokeToken_FullMethodName: {least: Admin, everywhere: true},

	pb.SettingsService_GetSettings_FullMethodName:   {least: Viewer, everywhere: true},
	pb.SettingsService_ApplySettings_FullMethodName: {least: Admin, everywhere: true},
	pb.DebugService_CollectDebug_FullMethodName:     {least: Admin, everywhere: true},

	pb.PeerService_Join_FullMethodName:          {node: true},
	pb.PeerService_GetPeerState_FullMethodName:  {node: true},
	pb.PeerService_Propose_FullMethodName:       {node: true},
	pb.PeerService_GetReadIndex_FullMethodName:  {node: true},
	pb.PeerService_Remove_FullMethodName:        {node: true},
	pb.PeerService_GetStateHash_FullMethodName:  {node: true},
	pb.PeerService_Transfer_FullMethodName:      {node: true},
	pb.PeerService_ChangeKeyring_FullMethodName: {node: true},

	pb.NodeService_Stage_FullMethodName:         {node: true},
	pb.NodeService_Verify_FullMethodName:        {node: true},
	pb.NodeService_GetNodeStatus_FullMethodName: {node: true},
	pb.NodeService_InspectDrift_FullMethodName:  {node: true},

	grpc_health_v1.Health_Check_FullMethodName: {public: true},
	grpc_health_v1.Health_List_FullMethodName:  {public: true},
	grpc_health_v1.Health_Watch_FullMethodName: {public: true},

	reflectionv1.ServerReflection_ServerReflectionInfo_FullMethodName:      {public: true},
	reflectionv1alpha.ServerReflection_ServerReflectionInfo_FullMethodName: {public: true},
}
